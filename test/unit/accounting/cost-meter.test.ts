import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../../src/accounting/cost-meter.ts';
import { priceOf, usageOf } from './fixtures.ts';

const MOST = Number.MAX_SAFE_INTEGER;

describe('costOf', () => {
  it('sums all that a request used', () => {
    const price = priceOf({ perRequest: 1_000, perRow: 100, perInputToken: 10, perOutputToken: 20, perComputeMs: 5_000 });
    const usage = usageOf({ rows: 3, inputTokens: 7, outputTokens: 2, computeUs: 1_500 });
    expect(costOf(price, usage, false)).toBe(1_000 + 300 + 70 + 40 + 7_500);
  });

  it('charges an answer from the cache its own price in place of all else', () => {
    const price = priceOf({ perRequest: 1_000, perRow: 100, perCacheHit: 7 });
    expect(costOf(price, usageOf({ rows: 3 }), true)).toBe(7);
  });

  it('rounds up once and not where there is nothing to round', () => {
    const price = priceOf({ perComputeMs: 3, perRow: 1 });
    expect(costOf(price, usageOf({ computeUs: 1 }), false)).toBe(1);
    expect(costOf(price, usageOf({ computeUs: 7_000 }), false)).toBe(21);
    expect(costOf(price, usageOf({ computeUs: 7_001 }), false)).toBe(22);
    expect(costOf(price, usageOf({ computeUs: 0.25, rows: 5 }), false)).toBe(6);
  });

  it('is free where the price is', () => {
    expect(costOf(priceOf({}), usageOf({ rows: 1e9, computeUs: 1e12 }), false)).toBe(0);
  });

  it('stays at the largest exact number when a request would cost more', () => {
    expect(costOf(priceOf({ perRow: 1e12 }), usageOf({ rows: 1e9 }), false)).toBe(MOST);
    expect(costOf(priceOf({ perComputeMs: 1e12 }), usageOf({ computeUs: 1e300 }), false)).toBe(MOST);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5])('charges nothing for the figure %d and the rest as ever', (figure) => {
    const price = priceOf({ perRequest: 10, perRow: 1, perInputToken: 1, perOutputToken: 1, perComputeMs: 1_000 });
    const usage = usageOf({ rows: figure, inputTokens: figure, outputTokens: 2, computeUs: figure });
    expect(costOf(price, usage, false)).toBe(12);
  });

  it('agrees with arithmetic on integers of any size', () => {
    const figure = fc.oneof(fc.nat({ max: 1_000 }), fc.nat({ max: 1e9 }));
    const nano = fc.oneof(fc.nat({ max: 1_000 }), fc.integer({ min: 0, max: 1e12 }));
    const prices = fc.record({
      perRequest: nano,
      perRow: nano,
      perInputToken: nano,
      perOutputToken: nano,
      perComputeMs: fc.nat({ max: 1e6 }),
    });
    const figures = fc.record({ rows: figure, inputTokens: figure, outputTokens: figure, computeUs: figure });
    fc.assert(
      fc.property(prices, figures, (price, usage) => {
        const compute = BigInt(usage.computeUs) * BigInt(price.perComputeMs);
        const exact =
          BigInt(price.perRequest) +
          BigInt(usage.rows) * BigInt(price.perRow) +
          BigInt(usage.inputTokens) * BigInt(price.perInputToken) +
          BigInt(usage.outputTokens) * BigInt(price.perOutputToken) +
          (compute + 999n) / 1000n;
        const expected = exact < BigInt(MOST) ? exact : BigInt(MOST);
        expect(BigInt(costOf(priceOf(price), usageOf(usage), false))).toBe(expected);
      }),
      { seed: 20_260, numRuns: 2_000 },
    );
  });
});
