import { SeededRandom } from '../../../../scripts/models/seeded-random.ts';
import { type ArmEvidence, CELLS, noEvidence } from '../../../../src/core/evidence.ts';
import type { RolloutTolerance } from '../../../../src/core/rollout.ts';

/** Evidence as tests describe it. */

export const TOLERANCE: RolloutTolerance = { errors: 0.01, latency: 0.2, cost: 0.2, maxDisagreement: 0.05 };

export interface ArmStory {
  readonly requests: number;
  /** Spread over so many cells. */
  readonly cells: number;
  readonly failing: number;
  /** Geometric mean of latency, and how far requests differ. */
  readonly us: number;
  readonly spread: number;
  readonly costNano: number;
  readonly disagreeing: number;
}

export const GOOD_ARM: ArmStory = {
  requests: 2_000,
  cells: CELLS,
  failing: 0,
  us: 20_000,
  spread: 0.5,
  costNano: 1_000,
  disagreeing: 0,
};

/** An arm of independent requests, each in a random cell. */
export function arm(story: Partial<ArmStory>, seed = 1): ArmEvidence {
  const { requests, cells, failing, us, spread, costNano, disagreeing } = { ...GOOD_ARM, ...story };
  const random = new SeededRandom(seed);
  const evidence = noEvidence();
  for (let i = 0; i < requests; i++) {
    const cell = random.below(cells);
    const failed = random.next() < failing;
    evidence.requests[cell]! += 1;
    evidence.failures[cell]! += failed ? 1 : 0;
    if (!failed) {
      // A uniform number of variance one.
      const chance = (random.next() - 0.5) * Math.sqrt(12);
      evidence.answered[cell]! += 1;
      evidence.logUs[cell]! += Math.log(us) + spread * chance;
      evidence.costNano[cell]! += costNano;
    }
    evidence.pairs[cell]! += 1;
    evidence.disagreements[cell]! += random.next() < disagreeing ? 1 : 0;
  }
  return evidence;
}

/** All cells moved to other places; none is lost. */
export function shuffled(evidence: ArmEvidence, seed: number): ArmEvidence {
  const order = Array.from({ length: CELLS }, (_, i) => i);
  new SeededRandom(seed).shuffle(order);
  const moved = noEvidence();
  for (const name of Object.keys(moved) as (keyof ArmEvidence)[]) {
    for (let i = 0; i < CELLS; i++) moved[name][i] = evidence[name][order[i]!]!;
  }
  return moved;
}

/** All sums times `times`. */
export function scaled(evidence: ArmEvidence, times: number): ArmEvidence {
  const more = noEvidence();
  for (const name of Object.keys(more) as (keyof ArmEvidence)[]) {
    for (let i = 0; i < CELLS; i++) more[name][i] = evidence[name][i]! * times;
  }
  return more;
}
