import type { ArmEvidence } from '../../core/evidence.ts';
import type { Judgement, MetricJudgement, RolloutTolerance } from '../../core/rollout.ts';
import { highEnd, lowEnd } from './bound-test.ts';
import { reasonOf } from './judgement-text.ts';
import { type MetricTest, metricTests } from './metric-tests.ts';

/** Says whether a canary is worse than concurrent stable by more than is tolerated, from evidence gathered at one weight. */

export interface JudgeSpec {
  readonly tolerance: RolloutTolerance;
  /** Chance of harm being said, at any look at this evidence as it grows, of a canary within all tolerances: see `alphaOfEpoch`. */
  readonly alpha: number;
}

/** Chance of "good" being said, at any look, of a canary beyond a tolerance. It costs one more step at which harm is looked for, not a rollback. */
export const GOOD_LEVEL = 0.05;

// An alpha outside is a slip of the caller; the bets need a level between these.
const LEAST_ALPHA = 1e-12;
const MOST_ALPHA = 0.5;

/**
 * Pure, and of no memory: the same evidence gives the same judgement. It may be asked at every tick while evidence grows. Evidence must
 * begin anew when the weights change, or callers who changed sides count for both.
 */
export function judge(stable: ArmEvidence, canary: ArmEvidence, spec: JudgeSpec): Judgement {
  const tests = metricTests(stable, canary, spec.tolerance);
  // One harm suffices, so its chance is shared out; all must be good, so no chance adds up there.
  const level = Math.min(Math.max(spec.alpha, LEAST_ALPHA), MOST_ALPHA) / Math.max(1, tests.length);
  const metrics = tests.map((test) => judged(test, level));
  const verdict = metrics.some((one) => one.verdict === 'harm')
    ? 'harm'
    : metrics.every((one) => one.verdict === 'good')
      ? 'good'
      : 'unsure';
  return { verdict, reason: reasonOf(verdict, metrics), metrics };
}

function judged(of: MetricTest, level: number): MetricJudgement {
  const { test, bound } = of;
  const capital = test.capital(bound, 'beyond');
  const harm = capital >= -Math.log(level);
  const good = !harm && test.capital(bound, 'within') >= -Math.log(GOOD_LEVEL);
  // Each end is sought on the side of the tolerance where the verdict says that it is.
  const low = harm ? lowEnd(test, level, bound, test.to) : lowEnd(test, level, test.from, Math.min(bound, test.estimate));
  const high = good
    ? highEnd(test, GOOD_LEVEL, test.from, bound)
    : highEnd(test, GOOD_LEVEL, Math.max(bound, test.estimate), test.to);
  return {
    metric: of.metric,
    stable: of.stable,
    canary: of.canary,
    effect: of.toEffect(test.estimate),
    low: of.toEffect(low),
    high: of.toEffect(high),
    tolerance: of.tolerance,
    pValue: Math.min(1, Math.exp(-capital)),
    requests: of.requests,
    cells: of.cells,
    verdict: harm ? 'harm' : good ? 'good' : 'unsure',
  };
}
