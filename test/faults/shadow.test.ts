import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type Face, FaultScene, MODEL } from '../support/fault-scene.ts';
import { admin, eventually, metric } from '../support/gateway-under-test.ts';
import { type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';

const ASKED = 60;
const QUEUED = 8;
const IN_FLIGHT = 2;
const TIMEOUT_MS = 300;

let shadow: OipHttpServer;
let proxy: FaultProxy;
let scene: FaultScene;
beforeAll(async () => {
  shadow = await startOipHttpServer({ models: [MODEL] });
  proxy = await FaultProxy.start(shadow.url);
  const server = { kind: 'http', endpoints: [`http://${proxy.address}`], model: 'm' };
  scene = await FaultScene.start({
    shadows: [{ name: 'copy', role: 'shadow', weight: 100, backend: server }],
    config: { shadow: { maxQueued: QUEUED, maxInFlight: IN_FLIGHT, timeoutMs: TIMEOUT_MS } },
  });
  // A gateway serves before its shadows are warm; copies for one that is not ready fail and are never queued.
  await eventually('every shadow ready', async () => {
    const { plans } = await admin<{ plans: PlanView[] }>(scene.gateway, 'GET', 'plans');
    return plans.every(({ variants }) => variants.every(({ role, readiness }) => role !== 'shadow' || readiness === 'ready'));
  });
});
afterEach(() => proxy.heal());
afterAll(async () => {
  expect(await scene.stop()).toBe(0);
  await proxy.close();
  await shadow.close();
});

const copies = (outcome: string): Promise<number> => metric(scene.gateway, 'sluice_shadow_copies_total', { outcome });
const offered = async (): Promise<number> =>
  (await Promise.all(['dropped', 'failed', 'agreed', 'disagreed', 'incomparable'].map(copies))).reduce((a, b) => a + b);

/** Resolves when no copy waits and none runs. */
async function quiet(): Promise<void> {
  await eventually('an empty queue', async () => (await metric(scene.gateway, 'sluice_shadow_queue_length')) === 0);
  await scene.idle();
}

/**
 * Copies for a shadow that holds its places for long are dropped past the queue. One that fails at once is asked for as many as it can
 * refuse, and drops the more the longer that takes: maybe none.
 */
const FAULTS: readonly (readonly [what: string, outcome: 'failed' | 'dropped', fault: () => unknown])[] = [
  ['refuses connections', 'failed', () => proxy.refuse()],
  ['never answers', 'dropped', () => proxy.hang()],
  ['answers late', 'dropped', () => proxy.set('answer', { is: 'delay', ms: 200 })],
  ['answers garbage', 'failed', () => proxy.set('answer', { is: 'garbage', from: 0 })],
  ['resets its connections', 'failed', () => proxy.set('answer', { is: 'reset', at: 20 })],
];

describe.each<readonly [Face]>([['rest'], ['grpc']])('over %s, a shadow', (face) => {
  it.each(FAULTS)('that %s is invisible to callers, billed to nobody, and has its copies %s', async (what, outcome, fault) => {
    const before = { offered: await offered(), usage: await scene.usage('http') };
    const counted = { failed: await copies('failed'), dropped: await copies('dropped') };
    await fault();
    const all = await Promise.all(Array.from({ length: ASKED }, (_, i) => scene.ask(face, 'http', {}, i)));
    expect(all.map(({ code, variant }) => `${code} ${variant}`)).toEqual(new Array(ASKED).fill('OK v1'));
    const usage = await scene.usage('http');
    expect(usage.requests - before.usage.requests).toBe(ASKED);
    expect(usage.failures).toBe(before.usage.failures);
    // Every copy comes to an end that is counted, and the queue is empty after it.
    await eventually('an end for each copy', async () => (await offered()) - before.offered === ASKED);
    await quiet();
    const failed = (await copies('failed')) - counted.failed;
    const dropped = (await copies('dropped')) - counted.dropped;
    expect(outcome === 'failed' ? failed : dropped).toBeGreaterThan(0);
    // Late answers are answers.
    if (what !== 'answers late') expect(failed + dropped).toBe(ASKED);
    await proxy.heal();
    const agreed = await copies('agreed');
    await eventually('a copy that is compared again', async () => {
      await scene.ask(face, 'http', {}, 3);
      return (await copies('agreed')) > agreed;
    });
    await quiet();
  });

  it('that hangs adds nothing to what its callers wait', async () => {
    proxy.hang();
    for (let i = 0; i < 20; i++) {
      // A caller that waited for its copy would wait for the shadow's whole time.
      const { code, tookMs } = await scene.ask(face, 'http', {}, i);
      expect(code).toBe('OK');
      expect(tookMs).toBeLessThan(5 * TIMEOUT_MS);
    }
    await quiet();
  });
});
