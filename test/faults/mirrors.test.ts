import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ComparisonView } from '../../src/core/comparison.ts';
import { type Face, FaultScene, MODEL } from '../support/fault-scene.ts';
import { admin, eventually, metric } from '../support/gateway-under-test.ts';
import { type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';

const ASKED = 60;
const TIMEOUT_MS = 300;

/** Model `http`: the canary answers everybody, and stable, which is asked the same for the comparison, is behind the proxy. */
let canary: OipHttpServer;
let scene: FaultScene;
beforeAll(async () => {
  canary = await startOipHttpServer({ models: [MODEL] });
  const server = { kind: 'http', endpoints: [canary.url], model: MODEL.name };
  scene = await FaultScene.start({
    shadows: [{ name: 'new', role: 'canary', weight: 100, backend: server }],
    model: { comparison: { mirrorPercent: 100 } },
    config: { shadow: { maxQueued: 8, maxInFlight: 2, timeoutMs: TIMEOUT_MS } },
  });
});
afterEach(() => scene.heal());
afterAll(async () => {
  expect(await scene.stop()).toBe(0);
  await canary.close();
});

const mirrors = (outcome: string): Promise<number> =>
  metric(scene.gateway, 'sluice_mirror_copies_total', { model: 'http', asked: 'stable', outcome });

/** Resolves when no copy waits and none runs. */
async function quiet(): Promise<void> {
  await eventually('an empty queue', async () => (await metric(scene.gateway, 'sluice_shadow_queue_length')) === 0);
  await scene.idle();
}

const FAULTS: readonly (readonly [string, () => unknown])[] = [
  ['refuses connections', () => scene.proxies.http.refuse()],
  ['never answers', () => scene.proxies.http.hang()],
  ['answers garbage', () => scene.proxies.http.set('answer', { is: 'garbage', from: 0 })],
  ['resets its connections', () => scene.proxies.http.set('answer', { is: 'reset', at: 20 })],
];

describe.each<readonly [Face]>([['rest'], ['grpc']])('over %s, a mirror to a variant', (face) => {
  it.each(FAULTS)('that %s is invisible to callers, billed to nobody, and no answer to compare', async (_what, fault) => {
    const before = await scene.usage('http');
    await fault();
    const all = await Promise.all(Array.from({ length: ASKED }, (_, i) => scene.ask(face, 'http', {}, i)));
    expect(all.map(({ code, variant }) => `${code} ${variant}`)).toEqual(new Array(ASKED).fill('OK new'));
    for (const { tookMs } of all) expect(tookMs).toBeLessThan(10 * TIMEOUT_MS);
    const usage = await scene.usage('http');
    expect(usage.requests - before.requests).toBe(ASKED);
    expect(usage.failures).toBe(before.failures);
    await quiet();
    expect(await mirrors('disagreed')).toBe(0);
    await scene.heal();
    const agreed = await mirrors('agreed');
    await eventually('a mirror that is compared again', async () => {
      await scene.ask(face, 'http', {}, 3);
      return (await mirrors('agreed')) > agreed;
    });
    await quiet();
  });

  it('is counted as it ended, and not against the variant that carries traffic', async () => {
    const { pairs } = await admin<ComparisonView>(scene.gateway, 'GET', 'models/http/comparison');
    expect(pairs[0]!.copies.toStable.count).toBeGreaterThan(0);
    expect(pairs[0]!.dropped).toBeGreaterThan(0);
    expect(pairs[0]!.disagreed).toBe(0);
    const stable = (await scene.variants('http')).find(({ role }) => role === 'stable')!;
    expect([stable.attempts, stable.failures]).toEqual([0, 0]);
  });
});
