import { describe, expect, it } from 'vitest';
import { basisPoints } from '../../../../src/core/units.ts';
import { affinityOf } from '../../../../src/router/affinity.ts';
import { isSampled } from '../../../../src/router/copies/copy-sample.ts';
import { choose, planOf } from '../../../../src/router/traffic-plan.ts';
import { chiSquareBound, chiSquareOf } from '../chi-square.ts';
import { variantOf } from '../fakes.ts';

describe('the sample of a shadow', () => {
  const REQUESTS = 40_000;

  /** Which of many requests a shadow is asked. */
  function sampled(sample: number, affinityFor: (n: number) => number, name = 'dark'): boolean[] {
    const bp = basisPoints(sample);
    return Array.from({ length: REQUESTS }, (_, n) => isSampled(bp, name, affinityFor(n), `request-${n}`));
  }

  const count = (hits: readonly boolean[]) => hits.filter(Boolean).length;
  const perRequest = (n: number) => affinityOf(`request-${n}`);
  const error = Math.sqrt(REQUESTS * 0.1 * 0.9);

  it('is all at 100 percent and none at 0', () => {
    expect(count(sampled(10_000, perRequest))).toBe(REQUESTS);
    expect(count(sampled(0, perRequest))).toBe(0);
  });

  it('is the same each time', () => {
    expect(sampled(1_000, perRequest)).toEqual(sampled(1_000, perRequest));
  });

  it('is a share of the requests, also of a single busy caller', () => {
    expect(Math.abs(count(sampled(1_000, perRequest)) - 4_000)).toBeLessThan(5 * error);
    expect(Math.abs(count(sampled(1_000, () => 42)) - 4_000)).toBeLessThan(5 * error);
  });

  it.each([
    ['by request', perRequest],
    ['by caller', (n: number) => affinityOf(`user-${n % 5_000}`)],
  ])('does not follow the split between stable and canary %s', (_name, affinityFor) => {
    const variants = [
      { variant: variantOf('v1'), weightBp: 5_000 },
      { variant: variantOf('v2', 'canary'), weightBp: 5_000 },
    ];
    // Named like the shadow: the same salt must not make the same hash.
    const plan = planOf({ model: 'dark', revision: 1, variants, shadows: [] });
    const hits = sampled(5_000, affinityFor);
    const cells = [0, 0, 0, 0];
    hits.forEach((hit, n) => {
      cells[(hit ? 2 : 0) + (choose(plan, affinityFor(n)).name === 'v2' ? 1 : 0)]!++;
    });
    const [stableMissed, canaryMissed, stableHit, canaryHit] = cells as [number, number, number, number];
    expect(chiSquareOf([stableMissed, stableHit], stableMissed + stableHit)).toBeLessThan(chiSquareBound(2));
    expect(chiSquareOf([canaryMissed, canaryHit], canaryMissed + canaryHit)).toBeLessThan(chiSquareBound(2));
  });

  it('differs between two shadows of one model', () => {
    const one = sampled(1_000, perRequest, 'dark');
    const other = sampled(1_000, perRequest, 'darker');
    const both = one.filter((hit, n) => hit && other[n]).length;
    expect(Math.abs(both - 400)).toBeLessThan(5 * Math.sqrt(400));
  });
});
