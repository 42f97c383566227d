import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cappedAt } from '../support/fault-lane.ts';
import { FaultScene, WAYS } from '../support/fault-scene.ts';
import { eventually, metric } from '../support/gateway-under-test.ts';
import { answerNever as neverByGrpc } from '../support/oip-server.ts';
import { answerNever as neverByHttp } from '../support/scripted-http-server.ts';

const TIMEOUT_MS = 400;
const PROGRESS_MS = 150;
/** Five times the 100 ms in which a backend is told that nobody waits any more. */
const CANCEL_LIMIT_MS = 500;
const RECOVERY_LIMIT_MS = 25_000;
const DEADLINE_EXCEEDED = 4;
const MIB = 1_048_576;

let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start({ model: { timeoutMs: TIMEOUT_MS }, http: { progressTimeoutMs: PROGRESS_MS } });
});
afterEach(() => scene.heal());
afterAll(async () => expect(await scene.stop()).toBe(0));

describe('a backend that takes the request and never answers', () => {
  it.each(WAYS)('costs a caller of %s in front of %s its deadline and nothing else', async (face, kind) => {
    await scene.ask(face, kind);
    const before = await scene.usage(kind);
    scene.proxies[kind].hang();
    const all = await Promise.all(Array.from({ length: 10 }, () => scene.ask(face, kind)));
    for (const told of all) {
      expect([told.code, told.status]).toEqual(['BACKEND_TIMEOUT', face === 'rest' ? 504 : DEADLINE_EXCEEDED]);
      expect(told.tookMs).toBeGreaterThan(TIMEOUT_MS * 0.9);
      expect(told.tookMs).toBeLessThan(TIMEOUT_MS * 5);
    }
    await scene.idle();
    const after = await scene.usage(kind);
    expect([after.failures - before.failures, after.costNano - before.costNano]).toEqual([10, 0]);
    await scene.heal();
    expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
  });

  it.each([['rest'], ['grpc']] as const)('is told that nobody waits any more, and how long it has, over %s', async (face) => {
    scene.behave({ http: () => neverByHttp, grpc: () => neverByGrpc });
    const { http, grpc } = scene.servers;
    const before = { http: http.cancels.length, grpc: grpc.cancels.length };
    for (const kind of ['http', 'grpc'] as const) expect((await scene.ask(face, kind)).code).toBe('BACKEND_TIMEOUT');
    const endedMs = performance.now();
    await Promise.all([http.cancelled(before.http + 1), grpc.cancelled(before.grpc + 1)]);
    expect(performance.now() - endedMs).toBeLessThan(CANCEL_LIMIT_MS);
    const stated = Number(http.requests.at(-1)!.headers['x-sluice-timeout-ms']);
    expect(stated).toBeGreaterThan(0);
    expect(stated).toBeLessThanOrEqual(TIMEOUT_MS);
    // The other clock is read a little later.
    expect(grpc.calls.at(-1)!.grantedMs).toBeLessThanOrEqual(TIMEOUT_MS + 50);
  });
});

describe('a backend whose answer trickles', () => {
  it.each(WAYS)('is waited for until the deadline of a caller of %s in front of %s, and no longer', async (face, kind) => {
    await scene.ask(face, kind);
    scene.proxies[kind].set('answer', { is: 'trickle', bytes: 1, everyMs: 50 });
    const told = await scene.ask(face, kind);
    expect([told.code, told.status]).toEqual(['BACKEND_TIMEOUT', face === 'rest' ? 504 : DEADLINE_EXCEEDED]);
    expect(told.tookMs).toBeLessThan(TIMEOUT_MS * 5);
    await scene.idle();
    await scene.heal();
    expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
  });

  it('is answered for when it only is slow', async () => {
    for (const kind of ['http', 'grpc'] as const) {
      await scene.ask('rest', kind);
      scene.proxies[kind].set('answer', cappedAt(20_000));
      expect((await scene.ask('rest', kind)).code).toBe('OK');
    }
  });

  it('and then stops is given up well before the deadline', async () => {
    await scene.ask('rest', 'http');
    const answerBytes = scene.proxies.http.bytes('answer');
    await scene.ask('rest', 'http');
    const oneBytes = scene.proxies.http.bytes('answer') - answerBytes;
    scene.proxies.http.set('answer', { is: 'hang', at: oneBytes - 4 });
    expect((await scene.ask('rest', 'http')).code).toBe('BACKEND_TIMEOUT');
    await scene.idle();
    // The reason in the log tells it from the deadline.
    await eventually('the log line', () => scene.gateway.output().includes(`stopped on its way for ${PROGRESS_MS} ms`));
  });

  it('holds no memory while it does', async () => {
    const rss = (): Promise<number> => metric(scene.gateway, 'process_resident_memory_bytes');
    const before = await rss();
    scene.proxies.http.set('answer', { is: 'trickle', bytes: 1, everyMs: 50 });
    await Promise.all(Array.from({ length: 100 }, () => scene.ask('rest', 'http')));
    expect((await rss()) - before).toBeLessThan(64 * MIB);
  });
});
