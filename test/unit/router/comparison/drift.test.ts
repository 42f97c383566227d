import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftOf } from '../../../../src/router/comparison/drift.ts';
import {
  addScore,
  addSketch,
  binOf,
  countOf,
  LAST_BIN,
  type ScoreSketch,
} from '../../../../src/router/comparison/score-sketch.ts';

const score = fc.oneof(
  fc.double({ min: -2, max: 2, noNaN: true }),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const scores = fc.array(score, { minLength: 1, maxLength: 60 });
const RUNS = { seed: 20_260, numRuns: 300 };

function sketchOf(values: readonly number[]): ScoreSketch {
  const sketch: ScoreSketch = new Map();
  for (const value of values) addScore(sketch, value);
  return sketch;
}

const sorted = (sketch: ScoreSketch): [number, number][] => [...sketch].sort(([a], [b]) => a - b);

describe('a sketch of scores', () => {
  it('keeps the order of scores, and the sign', () => {
    fc.assert(
      fc.property(score, score, (a, b) => {
        if (a <= b) expect(binOf(a)).toBeLessThanOrEqual(binOf(b));
        expect(binOf(-a)).toBe(0 - binOf(a));
      }),
      RUNS,
    );
  });

  it('tells scores apart that lie 4 % from each other, and counts those too small or too large at its ends', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -15, max: 60_000, noNaN: true }), (value) => {
        expect(binOf(value * 1.04)).toBeGreaterThan(binOf(value));
      }),
      RUNS,
    );
    expect([binOf(0), binOf(-0), binOf(1e-9), binOf(1e9), binOf(Number.NEGATIVE_INFINITY)]).toEqual([
      0,
      0,
      0,
      LAST_BIN,
      -LAST_BIN,
    ]);
  });

  it('of parts, in whatever order and grouping, is the sketch of all', () => {
    fc.assert(
      fc.property(scores, scores, scores, (a, b, c) => {
        const whole = sketchOf([...a, ...b, ...c]);
        const left = sketchOf(a);
        addSketch(left, sketchOf(b));
        addSketch(left, sketchOf(c));
        const right = sketchOf(c);
        const inner = sketchOf(b);
        addSketch(inner, sketchOf(a));
        addSketch(right, inner);
        expect(sorted(left)).toEqual(sorted(whole));
        expect(sorted(right)).toEqual(sorted(whole));
        expect(countOf(whole)).toBe(a.length + b.length + c.length);
      }),
      RUNS,
    );
  });

  it('leaves NaN out', () => {
    expect(countOf(sketchOf([Number.NaN, 1]))).toBe(1);
  });
});

/** The same on lists of bins, with groups as pairs of bounds. */
function naiveDrift(stable: readonly number[], variant: readonly number[]): { psi: number; jensenShannon: number } {
  const [s, v] = [stable.map(binOf), variant.map(binOf)];
  const bounds: number[] = [];
  let open: number[] = [];
  for (const bin of [...new Set(s)].sort((a, b) => a - b)) {
    const own = s.filter((each) => each === bin);
    const heavy = own.length >= s.length / 10;
    if (heavy) {
      if (bounds.at(-1) !== bin - 1) bounds.push(bin - 1);
      open = [];
    }
    open = [...open, ...own];
    if (open.length >= s.length / 10) {
      bounds.push(bin);
      open = [];
    }
  }
  const shares = (bins: readonly number[]): number[] =>
    [...bounds, Infinity].map((to, i) => {
      const from = i === 0 ? -Infinity : bounds[i - 1]!;
      const inside = bins.filter((bin) => bin > from && bin <= to).length;
      return (inside + 0.5) / (bins.length + 0.5 * (bounds.length + 1));
    });
  const [p, q] = [shares(s), shares(v)];
  const kl = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * Math.log2(x / b[i]!), 0);
  const middle = p.map((x, i) => (x + q[i]!) / 2);
  return {
    psi: p.reduce((sum, x, i) => sum + (q[i]! - x) * Math.log(q[i]! / x), 0),
    jensenShannon: (kl(p, middle) + kl(q, middle)) / 2,
  };
}

describe('drift', () => {
  it('is what counting by hand gives', () => {
    fc.assert(
      fc.property(scores, scores, (stable, variant) => {
        const found = driftOf(sketchOf(stable), sketchOf(variant))!;
        const naive = naiveDrift(stable, variant);
        expect(found.psi).toBeCloseTo(naive.psi, 9);
        expect(found.jensenShannon).toBeCloseTo(naive.jensenShannon, 9);
        expect(found.psi).toBeGreaterThanOrEqual(0);
        expect(found.jensenShannon).toBeLessThanOrEqual(1);
      }),
      RUNS,
    );
  });

  it('is nothing between equals, and large where all lies elsewhere, above or below', () => {
    const same = Array.from({ length: 1_000 }, (_, i) => 0.5 + i / 2_000);
    expect(driftOf(sketchOf(same), sketchOf(same))).toMatchObject({ psi: 0, jensenShannon: 0, stableScores: 1_000 });
    const one = new Array<number>(1_000).fill(0.9);
    for (const other of [0.2, 0.99]) {
      const found = driftOf(sketchOf(one), sketchOf(new Array<number>(1_000).fill(other)))!;
      expect(found.psi).toBeGreaterThan(5);
      expect(found.jensenShannon).toBeGreaterThan(0.9);
    }
  });

  it('is unknown before both have scores', () => {
    expect(driftOf(sketchOf([]), sketchOf([1]))).toBeNull();
    expect(driftOf(sketchOf([1]), sketchOf([]))).toBeNull();
  });
});
