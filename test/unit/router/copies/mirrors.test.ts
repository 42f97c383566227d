import { describe, expect, it } from 'vitest';
import { basisPoints, millis } from '../../../../src/core/units.ts';
import { affinityOf } from '../../../../src/router/affinity.ts';
import { type MirrorOptions, Mirrors } from '../../../../src/router/copies/mirrors.ts';
import { planOf } from '../../../../src/router/traffic-plan.ts';
import { variantOf } from '../fakes.ts';

const NONE: MirrorOptions = {
  sample: basisPoints(0),
  watchedSample: basisPoints(0),
  watchedPerSecond: 0,
  isWatched: () => false,
};
const REQUESTS = 20_000;
const stable = variantOf('v1');
const canary = variantOf('v2', 'canary');

const plan = (canaryBp: number) =>
  planOf({
    model: 'm',
    revision: 1,
    variants: [
      { variant: stable, weightBp: 10_000 - canaryBp },
      { variant: canary, weightBp: canaryBp },
    ],
    shadows: [],
  });

/** How many of many requests, a millisecond apart, are mirrored. */
function taken(options: Partial<MirrorOptions>, from: 'stable' | 'canary', canaryBp = 1_000): number {
  const mirrors = new Mirrors({ ...NONE, ...options });
  let count = 0;
  for (let n = 0; n < REQUESTS; n++) {
    const request = { affinity: affinityOf(`${n}`), requestId: `r${n}`, nowMs: millis(n) };
    const isTaken =
      from === 'canary' ? mirrors.mirrorsCanary(canary, request) : mirrors.mirrorsStable(plan(canaryBp), 1, request);
    if (isTaken) count++;
  }
  return count;
}

const near = (share: number): [number, number] => {
  const spread = 5 * Math.sqrt(REQUESTS * share * (1 - share));
  return [REQUESTS * share - spread, REQUESTS * share + spread];
};

describe('Mirrors', () => {
  it('are off without a sample and a rollout', () => {
    expect(new Mirrors({ ...NONE, watchedSample: basisPoints(1_000), watchedPerSecond: 5 }).isOn).toBe(false);
    expect(taken({}, 'canary')).toBe(0);
    expect(new Mirrors({ ...NONE, isWatched: () => true }).isOn).toBe(true);
  });

  it('take their sample of a canary, and the larger one while a rollout watches', () => {
    const samples = { sample: basisPoints(500), watchedSample: basisPoints(2_000) };
    const [low, high] = near(0.05);
    expect(taken(samples, 'canary')).toBeGreaterThan(low);
    expect(taken(samples, 'canary')).toBeLessThan(high);
    const [watchedLow, watchedHigh] = near(0.2);
    const watched = taken({ ...samples, isWatched: () => true }, 'canary');
    expect(watched).toBeGreaterThan(watchedLow);
    expect(watched).toBeLessThan(watchedHigh);
  });

  it('take as many of stable as of the canary, so that the canary gets no more than its own sample', () => {
    // 10 % of the traffic on the canary: a ninth of stable's, of which one in ten.
    const [low, high] = near(0.1 / 9);
    const count = taken({ sample: basisPoints(1_000) }, 'stable');
    expect(count).toBeGreaterThan(low);
    expect(count).toBeLessThan(high);
    expect(taken({ sample: basisPoints(1_000) }, 'stable', 0)).toBe(0);
  });

  it.each(['stable', 'canary'] as const)(
    'take so many a second of %s at least while a rollout watches, whatever the sample',
    (from) => {
      // 20 seconds.
      expect(taken({ watchedPerSecond: 5, isWatched: () => true }, from, 0)).toBe(100);
      expect(taken({ watchedPerSecond: 5 }, from, 0)).toBe(0);
    },
  );

  it('count what the sample takes for the least rate', () => {
    const watched = { watchedSample: basisPoints(5_000), isWatched: () => true };
    const alone = taken(watched, 'canary');
    // Every other one is taken anyway, so the least rate finds nothing to add but a few in long gaps.
    expect(taken({ ...watched, watchedPerSecond: 5 }, 'canary') - alone).toBeLessThan(20);
  });
});
