import type { RolloutMetric, RolloutSpec } from '../../src/core/rollout.ts';
import { BASE, CALLER_KINDS, type CallerKind } from './callers.ts';
import type { RolloutScene } from './rollout-run.ts';
import { type Harm, NO_HARM } from './traffic.ts';

/** Which rollouts are simulated, and what is demanded of them. */

export const SPEC: RolloutSpec = {
  model: 'simulated',
  variant: 'canary',
  steps: [100, 500, 2_500, 5_000, 10_000].map((weightBp) => ({ weightBp, holdMs: 10_000, minRequests: 200, approvals: 0 })),
  tolerance: { errors: 0.02, latency: 0.2, cost: 0.2, maxDisagreement: 0.05 },
  alpha: 0.05,
};

/** Of harmless rollouts, and of those just at a tolerance, no more may be rolled back. */
export const FALSE_ROLLBACKS = 0.05;
/** Of rollouts with harm of middle size, so many at least must be rolled back within `POWER_REQUESTS` of the canary. */
export const POWER = 0.95;
export const POWER_REQUESTS = 1_000;
/** Nineteen of twenty rollbacks of great harm must come before so many bad answers. */
export const GREAT_BAD_ANSWERS = 100;

export type Size = 'small' | 'middle' | 'great';
export const SIZES: readonly Size[] = ['small', 'middle', 'great'];
export const HARMED: readonly RolloutMetric[] = ['errors', 'latency', 'disagreement'];

export interface HarmCase {
  readonly metric: RolloutMetric;
  readonly size: Size;
  readonly words: string;
  readonly harm: Harm;
}

const failing = (failures: number): Harm => ({ ...NO_HARM, failures });
const slower = (times: number): Harm => ({ ...NO_HARM, slower: times });
const disagreeing = (disagreements: number): Harm => ({ ...NO_HARM, disagreements });

export const HARM_CASES: readonly HarmCase[] = [
  { metric: 'errors', size: 'small', words: '6 % more fail', harm: failing(0.06) },
  { metric: 'errors', size: 'middle', words: '15 % more fail', harm: failing(0.15) },
  { metric: 'errors', size: 'great', words: 'all fail', harm: failing(1) },
  { metric: 'latency', size: 'small', words: '1.5 times as slow', harm: slower(1.5) },
  { metric: 'latency', size: 'middle', words: 'twice as slow', harm: slower(2) },
  { metric: 'latency', size: 'great', words: 'three times as slow', harm: slower(3) },
  { metric: 'disagreement', size: 'small', words: '12 % more disagree', harm: disagreeing(0.12) },
  { metric: 'disagreement', size: 'middle', words: '20 % more disagree', harm: disagreeing(0.2) },
  { metric: 'disagreement', size: 'great', words: '30 % more disagree', harm: disagreeing(0.3) },
];

/** Harm that is just tolerated: the hardest case for whoever must not roll back. */
const EDGES: readonly Harm[] = [
  failing(SPEC.tolerance.errors / (1 - BASE.failures)),
  slower(1 + SPEC.tolerance.latency),
  disagreeing((SPEC.tolerance.maxDisagreement - BASE.disagreements) / (1 - BASE.disagreements)),
];

const SEEDS = { harmless: 1, edge: 2, harm: 3 };

/** Every run has a seed of its own. */
function seedOf(series: number, callers: CallerKind, run: number): number {
  return series * 10_000_000 + CALLER_KINDS.indexOf(callers) * 1_000_000 + run;
}

export function harmlessScene(callers: CallerKind, run: number): RolloutScene {
  const seed = seedOf(SEEDS.harmless, callers, run);
  return { seed, callers, harm: NO_HARM, spec: SPEC, requestsATick: 5_000, ticksAStep: 60 };
}

export function edgeScene(callers: CallerKind, run: number): RolloutScene {
  const seed = seedOf(SEEDS.edge, callers, run);
  return { seed, callers, harm: EDGES[run % EDGES.length]!, spec: SPEC, requestsATick: 5_000, ticksAStep: 60 };
}

/** A tick brings ten requests of the canary at the first step, and the rollout is given up where the power is measured. */
export function harmScene(of: HarmCase, callers: CallerKind, run: number): RolloutScene {
  const seed = seedOf(SEEDS.harm, callers, HARM_CASES.indexOf(of) * 10_000 + run);
  const requestsATick = 1_000;
  const ticksAStep = (POWER_REQUESTS * 10_000) / SPEC.steps[0]!.weightBp / requestsATick;
  return { seed, callers, harm: of.harm, spec: SPEC, requestsATick, ticksAStep };
}
