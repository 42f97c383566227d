import type { ArmEvidence } from '../../../core/evidence.ts';
import type { Judgement, RolloutSpec, RolloutTolerance } from '../../../core/rollout.ts';

/** Where a rollout stands. */
export interface RolloutStanding {
  /** Index into the steps; -1 before the first. */
  readonly step: number;
  readonly msAtStep: number;
  /** Of the canary at this step. */
  readonly requests: number;
  /** People who have approved the next step. */
  readonly approvals: number;
}

export interface RolloutMove {
  readonly move: 'advance' | 'hold' | 'roll-back' | 'complete' | 'await-approval';
  readonly reason: string;
}

/** Judges a canary against the stable variant that serves at the same time, and says what follows from it. Pure. */
export interface RolloutJudge {
  /** `alpha` is what this evidence may spend, however often it is looked at. */
  judge(
    stable: ArmEvidence,
    canary: ArmEvidence,
    spec: { readonly tolerance: RolloutTolerance; readonly alpha: number },
  ): Judgement;
  /** The part of `alpha` for evidence that begins anew for the `epoch`th time, counted from 0. */
  alphaOf(alpha: number, epoch: number): number;
  /** `judgement` is null before the first look at the evidence of a step. */
  next(spec: RolloutSpec, standing: RolloutStanding, judgement: Judgement | null): RolloutMove;
}
