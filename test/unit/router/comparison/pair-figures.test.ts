import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerComparison } from '../../../../src/router/comparison/answer-comparer.ts';
import { FairSample } from '../../../../src/router/comparison/fair-sample.ts';
import { meanOf, noMoments, note, shareOf } from '../../../../src/router/comparison/moments.ts';
import { addFigures, noFigures, notePair, type PairFigures } from '../../../../src/router/comparison/pair-figures.ts';
import { floats } from '../fakes.ts';
import { comparerFor } from './policies.ts';

const comparer = comparerFor();
// Sums of whole numbers are exact, so that order cannot show.
const value = fc.integer({ min: -8, max: 8 });
const row = fc.array(value, { minLength: 3, maxLength: 3 });
const pair = fc
  .record({ a: row, b: row, name: fc.constantFrom('x', 'y'), us: value, cost: value })
  .map(({ a, b, name, us, cost }) => ({
    found: comparer.compare([floats(a, [1, 3], name)], [floats(b, [1, 3], name)]),
    us,
    cost,
  }));
const pairs = fc.array(pair, { maxLength: 12 });
type One = { readonly found: AnswerComparison; readonly us: number; readonly cost: number };

function figuresOf(all: readonly One[], sinceMs = 5): PairFigures {
  const figures = noFigures(sinceMs);
  for (const { found, us, cost } of all) {
    notePair(figures, found);
    figures.toVariant.ended++;
    note(figures.latency, us);
    note(figures.cost, cost);
    figures.stableCostNano += 1;
    figures.variantCostNano += 1 + cost;
  }
  return figures;
}

const added = (...parts: readonly PairFigures[]): PairFigures => {
  const sum = noFigures(9);
  for (const part of parts) addFigures(sum, part);
  return sum;
};

describe('figures of a pair of variants', () => {
  it('of parts, in whatever order and grouping, are the figures of all', () => {
    fc.assert(
      fc.property(pairs, pairs, pairs, (a, b, c) => {
        const whole = added(figuresOf([...a, ...b, ...c]));
        expect(added(figuresOf(a), figuresOf(b), figuresOf(c))).toEqual(whole);
        expect(added(figuresOf(c), added(figuresOf(b), figuresOf(a)))).toEqual(whole);
      }),
      { seed: 20_260, numRuns: 200 },
    );
  });

  it('count since the first, and survive a structured clone', () => {
    const one = figuresOf([], 7);
    const sum = added(structuredClone(one), figuresOf([], 3));
    expect(sum.sinceMs).toBe(3);
  });

  it('know no more outputs than a model may have', () => {
    const figures = noFigures(0);
    for (let i = 0; i < 100; i++)
      notePair(figures, comparer.compare([floats([1, 2], [1, 2], `${i}`)], [floats([1, 2], [1, 2], `${i}`)]));
    expect([figures.agreed, figures.outputs.size]).toEqual([100, 64]);
  });
});

describe('a fair sample', () => {
  const ids = fc.array(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 40 });
  const sampleOf = (all: readonly string[]): FairSample<{ requestId: string }> => {
    const sample = new FairSample<{ requestId: string }>(5);
    for (const requestId of all) sample.offer(requestId, () => ({ requestId }));
    return sample;
  };

  it('of samples, in whatever order, is the sample of all', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        const whole = sampleOf([...a, ...b]).state;
        for (const [one, other] of [
          [a, b],
          [b, a],
        ] as const) {
          const sum = new FairSample<{ requestId: string }>(5);
          sum.add(sampleOf(one).state);
          sum.add(sampleOf(other).state);
          expect(sum.state).toEqual(whole);
        }
        expect(whole.items.length).toBe(Math.min(5, a.length + b.length));
        expect(whole.seen).toBe(a.length + b.length);
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });

  it('takes early and late ones alike, and makes only what it keeps', () => {
    let made = 0;
    let early = 0;
    for (let round = 0; round < 200; round++) {
      const sample = new FairSample<{ requestId: string; at: number }>(10);
      for (let at = 0; at < 1_000; at++) {
        sample.offer(`${round}-${at}`, () => {
          made++;
          return { requestId: `${round}-${at}`, at };
        });
      }
      early += sample.state.items.filter((item) => item.at < 500).length;
    }
    // 2,000 kept: half of them early, give or take five standard deviations.
    expect(Math.abs(early - 1_000)).toBeLessThan(5 * Math.sqrt(500));
    // Ten, and then ten of n for each n: some 56 of a thousand.
    expect(made / 200).toBeLessThan(70);
  });
});

describe('intervals', () => {
  it('of a share are those of Wilson', () => {
    // Newcombe 1998, table I: 81 of 263 and 0 of 20.
    const known = shareOf(81, 263);
    expect([known.low, known.high].map((x) => x.toFixed(4))).toEqual(['0.2553', '0.3662']);
    const none = shareOf(0, 20);
    expect([none.low, none.high.toFixed(4)]).toEqual([0, '0.1611']);
    expect(shareOf(0, 0)).toMatchObject({ low: 0, high: 1 });
  });

  it('of a mean hold it in the middle, and are no wider than the deviation says', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 50 }), (values) => {
        const moments = noMoments();
        for (const each of values) note(moments, each);
        const mean = values.reduce((a, b) => a + b) / values.length;
        const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
        const found = meanOf(moments);
        expect(found.mean).toBeCloseTo(mean, 6);
        expect(found.high - found.mean).toBeCloseTo(1.959964 * Math.sqrt(variance / values.length), 4);
      }),
      { seed: 20_260, numRuns: 200 },
    );
  });
});
