import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArmEvidence, noEvidence } from '../../../../src/core/evidence.ts';
import type { Judgement, RolloutTolerance } from '../../../../src/core/rollout.ts';
import { judge } from '../../../../src/router/rollout/judge.ts';
import { metricTests } from '../../../../src/router/rollout/metric-tests.ts';
import { arm, scaled, shuffled, TOLERANCE } from './evidence-fakes.ts';

const SPEC = { tolerance: TOLERANCE, alpha: 0.03 };
/** The variance at the bound moves with it, so that a bet may gain a little before it loses. */
const SLACK = 0.1;
const RANK = { good: 0, unsure: 1, harm: 2 };

const story = fc.record({
  requests: fc.integer({ min: 0, max: 800 }),
  cells: fc.constantFrom(1, 2, 5, 40, 512),
  failing: fc.constantFrom(0, 0.01, 0.1, 0.5, 1),
  us: fc.constantFrom(5_000, 20_000, 26_000, 80_000),
  spread: fc.constantFrom(0, 0.1, 0.8),
  costNano: fc.constantFrom(0, 1_000, 1_500),
  disagreeing: fc.constantFrom(0, 0.04, 0.3, 1),
});
const evidence = fc.tuple(story, fc.integer({ min: 1, max: 1e6 })).map(([of, seed]) => arm(of, seed));

/** Anything a broken sum could hold. */
const anyNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(0, 1, 3, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, 1e-300, 1e15, 2 ** 53),
);
const anything: fc.Arbitrary<ArmEvidence> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 511 }), fc.array(anyNumber, { minLength: 7, maxLength: 7 })), { maxLength: 12 })
  .map((cells) => {
    const made = noEvidence();
    const names = Object.keys(made) as (keyof ArmEvidence)[];
    for (const [cell, values] of cells) {
      for (const [i, name] of names.entries()) made[name][cell] = values[i]!;
    }
    return made;
  });

function expectSane(judgement: Judgement): void {
  for (const one of judgement.metrics) {
    const { metric, verdict, pValue, tolerance, low, effect, high, ...rest } = one;
    for (const value of [pValue, low, effect, high, ...Object.values(rest)]) expect(Number.isFinite(value), metric).toBe(true);
    expect(low).toBeLessThanOrEqual(effect + 1e-9);
    expect(high).toBeGreaterThanOrEqual(effect - 1e-9);
    expect(pValue).toBeGreaterThanOrEqual(0);
    expect(pValue).toBeLessThanOrEqual(1);
    expect(verdict === 'harm').toBe(low > tolerance || (verdict === 'harm' && low >= tolerance));
    if (verdict === 'good') expect(high).toBeLessThanOrEqual(tolerance + 1e-9);
  }
  expect(judgement.reason).not.toMatch(/NaN|Infinity|undefined/);
}

describe('any judgement', () => {
  it('holds finite numbers in their order, whatever the evidence', () => {
    fc.assert(
      fc.property(fc.oneof(evidence, anything), fc.oneof(evidence, anything), (s, c) => expectSane(judge(s, c, SPEC))),
      {
        numRuns: 400,
      },
    );
  });

  it('holds finite numbers whatever the alpha and the tolerances', () => {
    const bound = fc.oneof(fc.constantFrom(0, 1e-9, 0.01, 0.5, 0.999, 1, 5, 1e9), fc.double({ min: 0, max: 2, noNaN: true }));
    const tolerance: fc.Arbitrary<RolloutTolerance> = fc.record({
      errors: bound,
      latency: bound,
      cost: bound,
      maxDisagreement: bound,
    });
    const alpha = fc.constantFrom(0, 1e-300, 0.01, 0.5, 1, 7);
    fc.assert(
      fc.property(evidence, evidence, tolerance, alpha, (s, c, of, a) => expectSane(judge(s, c, { tolerance: of, alpha: a }))),
    );
  });

  it('does not depend on the order of the cells', () => {
    fc.assert(
      fc.property(evidence, evidence, fc.integer(), (s, c, seed) => {
        const [one, other] = [judge(s, c, SPEC), judge(shuffled(s, seed), shuffled(c, seed + 1), SPEC)];
        expect(other.verdict).toBe(one.verdict);
        for (const [i, metric] of one.metrics.entries()) {
          expect(other.metrics[i]!.low).toBeCloseTo(metric.low, 4);
          expect(other.metrics[i]!.high / (1 + Math.abs(metric.high))).toBeCloseTo(metric.high / (1 + Math.abs(metric.high)), 3);
        }
      }),
    );
  });

  it('is never harm where the canary does as stable does, however much less of it there is', () => {
    const peaceful = { ...SPEC, tolerance: { ...TOLERANCE, maxDisagreement: 1 } };
    fc.assert(
      fc.property(fc.oneof(evidence, anything), fc.constantFrom(0.001, 0.01, 0.5, 1, 3, 100), (of, times) => {
        expect(judge(of, scaled(of, times), peaceful).verdict).not.toBe('harm');
      }),
    );
  });

  it('is no better for a canary that fails, disagrees or lasts longer in all its cells alike', () => {
    const worse = fc.tuple(fc.constantFrom(0, 0.02, 0.1, 0.4), fc.constantFrom(0, 0.1, 0.5, 1.5));
    fc.assert(
      fc.property(evidence, evidence, worse, (s, c, [share, slower]) => {
        const bad = scaled(c, 1);
        for (let i = 0; i < bad.requests.length; i++) {
          bad.failures[i]! += share * (bad.requests[i]! - bad.failures[i]!);
          bad.disagreements[i]! += share * (bad.pairs[i]! - bad.disagreements[i]!);
          bad.logUs[i]! += slower * bad.answered[i]!;
        }
        const [before, after] = [judge(s, c, SPEC), judge(s, bad, SPEC)];
        for (const [i, metric] of before.metrics.entries()) {
          expect(RANK[after.metrics[i]!.verdict], metric.metric).toBeGreaterThanOrEqual(RANK[metric.verdict]);
        }
      }),
    );
  });

  it('rests on bets that are worth less the wider the bound, so that an interval has one end', () => {
    const bounds = fc.tuple(fc.double({ min: -0.9, max: 0.9, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true }));
    fc.assert(
      fc.property(evidence, evidence, bounds, (s, c, [bound, wider]) => {
        for (const { test, metric } of metricTests(s, c, TOLERANCE)) {
          const at = Math.max(bound, test.from + 0.01);
          const beyond = test.capital(at, 'beyond') - test.capital(at + wider, 'beyond');
          const within = test.capital(at + wider, 'within') - test.capital(at, 'within');
          expect(Math.min(beyond, within), metric).toBeGreaterThanOrEqual(-SLACK);
        }
      }),
    );
  });
});
