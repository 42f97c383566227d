import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageLikelihood, bestShares, likelihoodAt } from '../../../../src/router/rollout/coins.ts';

const coins = fc
  .tuple(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([count, share]) => ({ count, failures: Math.round(count * share) }));

describe('the best shares within a bound', () => {
  it('are as likely as the best on a grid', () => {
    const bounds = fc.record({
      bound: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
      kept: fc.constantFrom(1, 0.8, 0.6),
      most: fc.boolean(),
    });
    fc.assert(
      fc.property(coins, coins, bounds, (stable, canary, bound) => {
        const best = bestShares(stable, canary, bound);
        let onGrid = Number.NEGATIVE_INFINITY;
        for (let s = 0; s <= 1; s += 0.01) {
          for (let c = 0; c <= 1; c += 0.01) {
            const difference = bound.kept * c - s;
            if (bound.most ? difference > bound.bound : difference < bound.bound) continue;
            onGrid = Math.max(onGrid, likelihoodAt(stable, s) + likelihoodAt(canary, c));
          }
        }
        expect(best.likelihood).toBeGreaterThanOrEqual(onGrid - 1e-6);
        expect(Number.isFinite(best.likelihood)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('are those seen where they keep the bound', () => {
    const best = bestShares({ failures: 10, count: 100 }, { failures: 11, count: 100 }, { bound: 0.05, kept: 1, most: true });
    expect(best).toMatchObject({ stable: 0.1, canary: 0.11, onBound: false });
  });
});

describe('the average likelihood', () => {
  it('is the integral over all shares', () => {
    const of = { failures: 3, count: 9 };
    let sum = 0;
    for (let p = 0.0005; p < 1; p += 0.001) sum += Math.exp(likelihoodAt(of, p)) * 0.001;
    expect(Math.exp(averageLikelihood(of, 1))).toBeCloseTo(sum, 8);
  });
});
