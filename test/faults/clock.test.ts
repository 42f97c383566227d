import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferRest } from '../support/clients.ts';
import { key, TENANTS } from '../support/configs.ts';
import { FaultScene } from '../support/fault-scene.ts';
import { eventually, preloading, workerPids } from '../support/gateway-under-test.ts';
import { answerNever } from '../support/oip-server.ts';

const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 1_000;
const BURST = 5;

let scene: FaultScene;
let jumps = 0;
beforeAll(async () => {
  const soonMs = Date.now() + HOUR_MS / 2;
  const tenants = [
    ...TENANTS,
    { id: 'slow', rate: { requestsPerSecond: 1, burst: BURST }, keys: [key('slow0001')] },
    { id: 'brief', keys: [key('brief001', { expires: new Date(soonMs).toISOString() })] },
  ];
  scene = await FaultScene.start({
    model: { timeoutMs: TIMEOUT_MS, cache: { ttlMs: 600_000 } },
    config: { tenants },
    env: { ...preloading('preload-clock.ts'), SLUICE_TEST_SHIFTS_MS: [HOUR_MS, -HOUR_MS, 0].join() },
  });
});
afterAll(async () => expect(await scene.stop()).toBe(0));

/** The wall clock of the gateway's worker jumps to the next of its shifts. */
async function jump(): Promise<void> {
  for (const pid of await workerPids(scene.gateway)) process.kill(pid, 'SIGUSR2');
  jumps++;
  await eventually('the jump', () => scene.gateway.output().split('the clock is wrong by').length === jumps + 1);
}

const askAs = (tenant: string): Promise<number> =>
  inferRest(scene.gateway, {
    key: scene.gateway.keys[tenant]!,
    model: 'http',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [9, 9] }],
  }).then(({ status }) => status);

/** The jumps come in the order of SLUICE_TEST_SHIFTS_MS, so all of them are in one test. */
describe('a wall clock that jumps by an hour, forth and back', () => {
  it('admits no burst, expires no entry, ends no call early or late, and refuses no key before its time', async () => {
    expect(await askAs('brief')).toBe(200);
    for (const expected of ['forth', 'back', 'right']) {
      scene.behave({ grpc: () => answerNever });
      const seen = scene.calls('grpc');
      const hanging = scene.ask('grpc', 'grpc', {}, Math.random());
      await scene.servers.grpc.called(seen + 1);
      const startedMs = performance.now();
      const before = await Promise.all(Array.from({ length: BURST * 2 }, () => askAs('slow')));
      await jump();
      const after = await Promise.all(Array.from({ length: BURST * 2 }, () => askAs('slow')));
      const elapsedS = (performance.now() - startedMs) / 1000;
      const admitted = [...before, ...after].filter((status) => status === 200).length;
      expect(admitted, expected).toBeLessThanOrEqual(BURST + elapsedS + 1);
      expect(after).toContain(429);
      const told = await hanging;
      expect(told.code).toBe('BACKEND_TIMEOUT');
      expect(told.tookMs).toBeGreaterThan(TIMEOUT_MS * 0.9);
      expect(told.tookMs).toBeLessThan(TIMEOUT_MS * 5);
      scene.behave({});
      // New calls have their whole time, and an entry that was kept for ten minutes is still there.
      expect((await scene.ask('grpc', 'grpc', {}, Math.random())).code).toBe('OK');
      expect((await scene.ask('rest', 'http')).code).toBe('OK');
      const calls = scene.calls('http');
      expect((await scene.ask('rest', 'http')).code).toBe('OK');
      expect(scene.calls('http')).toBe(calls);
      // What has a time of its own on the wall is held to it, and to nothing else.
      expect(await askAs('brief')).toBe(expected === 'forth' ? 401 : 200);
      // The bucket is not frozen either: it fills as time really passes.
      await eventually('a token', async () => (await askAs('slow')) === 200);
    }
  });
});
