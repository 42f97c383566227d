import type { ArmEvidence } from '../../core/evidence.ts';
import type { RolloutMetric, RolloutTolerance } from '../../core/rollout.ts';
import type { BoundTest } from './bound-test.ts';
import { type CellSums, sumCells } from './cell-sums.ts';
import { FAR, logContrast, MeanDifference, meansOf, ratioContrast } from './mean-difference.ts';
import { OneShare } from './one-share.ts';
import { ShareDifference } from './share-difference.ts';

/** The test of each metric: from which sums, on which axis, against which bound. */
export interface MetricTest {
  readonly metric: RolloutMetric;
  readonly test: BoundTest;
  /** As the spec says it, and as a place on the axis of the test. */
  readonly tolerance: number;
  readonly bound: number;
  /** What operators read: the measure in each arm. */
  readonly stable: number;
  readonly canary: number;
  readonly requests: number;
  readonly cells: number;
  /** From the axis of the test to the units of the tolerance. */
  toEffect(place: number): number;
}

// The size of the differences that bets are spread over: that of the tolerance, but no less than this, or a strict tolerance would be
// blind to plain harm. A bet spread too wide loses by the logarithm only.
const LEAST_SHARE = 0.01;
const LEAST_RATIO = 0.05;

// Nano-dollars a request up to which it is free.
const NO_PRICE = 1e-6;

/** Those metrics that have a tolerance: the choice depends on the spec alone, so that evidence cannot choose its judge. */
export function metricTests(stable: ArmEvidence, canary: ArmEvidence, tolerance: RolloutTolerance): MetricTest[] {
  const tests: MetricTest[] = [];
  if (tolerance.errors < 1) tests.push(errors(stable, canary, tolerance.errors));
  if (Math.log1p(tolerance.latency) < FAR) tests.push(latency(stable, canary, tolerance.latency));
  if (Math.log1p(tolerance.cost) < FAR) tests.push(cost(stable, canary, tolerance.cost));
  if (tolerance.maxDisagreement < 1) tests.push(disagreement(canary, tolerance.maxDisagreement));
  return tests;
}

function errors(stable: ArmEvidence, canary: ArmEvidence, tolerance: number): MetricTest {
  const ofStable = sumCells(stable.requests, stable.failures, 1);
  const ofCanary = sumCells(canary.requests, canary.failures, 1);
  const test = new ShareDifference(ofStable, ofCanary, Math.max(LEAST_SHARE, tolerance));
  return shareTest('errors', test, tolerance, ofStable.mean, ofCanary);
}

function disagreement(canary: ArmEvidence, tolerance: number): MetricTest {
  const pairs = sumCells(canary.pairs, canary.disagreements, 1);
  return shareTest('disagreement', new OneShare(pairs, Math.max(LEAST_SHARE, tolerance)), tolerance, 0, pairs);
}

function latency(stable: ArmEvidence, canary: ArmEvidence, tolerance: number): MetricTest {
  const ofStable = sumCells(stable.answered, stable.logUs, Number.POSITIVE_INFINITY);
  const ofCanary = sumCells(canary.answered, canary.logUs, Number.POSITIVE_INFINITY);
  const bound = Math.log1p(tolerance);
  const estimate = ofCanary.mean - ofStable.mean;
  const test = new MeanDifference(meansOf(ofStable, ofCanary, 1), estimate, logContrast, Math.max(LEAST_RATIO, bound));
  const measures = [microseconds(ofStable), microseconds(ofCanary)] as const;
  return ratioTest('latency', test, tolerance, measures, ofCanary);
}

function cost(stable: ArmEvidence, canary: ArmEvidence, tolerance: number): MetricTest {
  const ofStable = sumCells(stable.answered, stable.costNano, Number.POSITIVE_INFINITY);
  const ofCanary = sumCells(canary.answered, canary.costNano, Number.POSITIVE_INFINITY);
  const measures = [ofStable.mean, ofCanary.mean] as const;
  const unit = ofStable.mean > NO_PRICE ? ofStable.mean : ofCanary.mean;
  // Free on both sides is the same price on both.
  const priced = unit > NO_PRICE ? meansOf(ofStable, ofCanary, unit) : meansOf(free(ofStable), free(ofCanary), 1);
  const estimate = unit > NO_PRICE ? Math.log(Math.max(0, ofCanary.mean)) - Math.log(Math.max(0, ofStable.mean)) : 0;
  const test = new MeanDifference(priced, estimate, ratioContrast, Math.max(LEAST_RATIO, Math.log1p(tolerance)));
  return ratioTest('cost', test, tolerance, measures, ofCanary);
}

function free(sums: CellSums): CellSums {
  return { ...sums, mean: 1, variance: sums.cells > 1 ? 0 : Number.POSITIVE_INFINITY, betweenCells: 0 };
}

function microseconds(sums: CellSums): number {
  return sums.cells === 0 ? 0 : Math.exp(Math.min(sums.mean, Math.log(Number.MAX_SAFE_INTEGER)));
}

function shareTest(metric: RolloutMetric, test: BoundTest, tolerance: number, stable: number, canary: CellSums): MetricTest {
  const { count, cells, mean } = canary;
  const toEffect = (place: number): number => place;
  return { metric, test, tolerance, bound: tolerance, stable, canary: mean, requests: count, cells, toEffect };
}

function ratioTest(
  metric: RolloutMetric,
  test: BoundTest,
  tolerance: number,
  [stable, canary]: readonly [number, number],
  { count, cells }: CellSums,
): MetricTest {
  return { metric, test, tolerance, bound: Math.log1p(tolerance), stable, canary, requests: count, cells, toEffect: Math.expm1 };
}
