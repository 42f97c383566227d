import type { Operation, Reached } from './control-plane.ts';

/** A stepwise change of one model's plan, watched by a judge that advances, holds or rolls back. */

export type RolloutMetric = 'errors' | 'latency' | 'cost' | 'disagreement';

export interface RolloutStep {
  /** Share of the canary, basis points. */
  readonly weightBp: number;
  /** Least time at this step, milliseconds. */
  readonly holdMs: number;
  /** Least requests of the canary at this step before it may advance. */
  readonly minRequests: number;
  /** The step begins only when so many people, none of them twice, have approved it. */
  readonly approvals: number;
}

/** How much worse than stable a canary may be. Each is a bound on the true difference, not on the observed one. */
export interface RolloutTolerance {
  /** Failed requests: difference of shares, 0.01 is one percent more. */
  readonly errors: number;
  /** Ratio of geometric mean latencies less one: 0.2 is a fifth slower. */
  readonly latency: number;
  /** Ratio of mean costs less one. */
  readonly cost: number;
  /** Share of paired answers that may disagree. */
  readonly maxDisagreement: number;
}

export interface RolloutSpec {
  readonly model: string;
  /** The canary whose share grows. */
  readonly variant: string;
  readonly steps: readonly RolloutStep[];
  readonly tolerance: RolloutTolerance;
  /** Chance that a canary within all tolerances is ever rolled back, over the whole rollout. */
  readonly alpha: number;
}

/** One metric as the judge sees it now. */
export interface MetricJudgement {
  readonly metric: RolloutMetric;
  /** Share of requests or of pairs, microseconds (geometric mean), nano-dollars (mean). 0 where nothing was counted. */
  readonly stable: number;
  readonly canary: number;
  /** The difference in the units of its tolerance. */
  readonly effect: number;
  /** Confidence sequence of the difference: valid however often it is looked at. Always finite; a ratio ends at a thousandfold. */
  readonly low: number;
  readonly high: number;
  readonly tolerance: number;
  /** Always-valid p-value against "within tolerance". */
  readonly pValue: number;
  /** Of the canary that count for this metric: all, answered ones, or pairs. */
  readonly requests: number;
  /** Cells of callers that these came from. */
  readonly cells: number;
  readonly verdict: 'harm' | 'good' | 'unsure';
}

export interface Judgement {
  /** harm: one metric is beyond its tolerance. good: all are within. unsure: neither can be said yet. */
  readonly verdict: 'harm' | 'good' | 'unsure';
  /** One sentence for people. */
  readonly reason: string;
  /** Those that have a tolerance; a share of 1 and a thousandfold ratio are none. */
  readonly metrics: readonly MetricJudgement[];
}

export type RolloutState =
  /** A step serves and is judged. */
  | 'running'
  /** The next step waits for people. */
  | 'waiting'
  /** Taken out of the judge's hands by a person; weights stay. */
  | 'paused'
  /** All steps are done. */
  | 'completed'
  /** The judge has given the canary back the share it had before. */
  | 'rolled-back'
  /** A person has. */
  | 'aborted'
  /** The plan was changed by other hands. */
  | 'superseded';

export interface RolloutTransition {
  readonly at: string;
  readonly from: RolloutState | '';
  readonly to: RolloutState;
  /** Index of the step it concerns. */
  readonly step: number;
  readonly actor: string;
  readonly reason: string;
}

export interface RolloutView {
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly state: RolloutState;
  /** Index into the steps; -1 before the first. */
  readonly step: number;
  readonly stepStartedAt: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly reason: string;
  /** Share of the canary that this state asks for, basis points. */
  readonly weightBp: number;
  /** Its share before the first step, and after a rollback. */
  readonly beforeBp: number;
  /** The share that this state asks for is not known to be in force yet. */
  readonly pending: boolean;
  /** Why it does not get on as it should, such as a full disk; empty when all is well. */
  readonly problem: string;
  /** Who has approved the next step. */
  readonly approvedBy: readonly string[];
  /** Null before the first look at a step. */
  readonly judgement: Judgement | null;
  /** Oldest first. */
  readonly transitions: readonly RolloutTransition[];
}

export type RolloutResult =
  | { readonly is: 'applied'; readonly rollout: RolloutView; readonly workers: Reached }
  | { readonly is: 'unknown' }
  /** It is not in a state for that, or another rollout of the model is under way. */
  | { readonly is: 'conflict'; readonly problem: string }
  | { readonly is: 'invalid'; readonly problems: readonly string[] }
  | { readonly is: 'unaudited'; readonly problem: string }
  /** It could not be written to disk, so it would not survive this process. */
  | { readonly is: 'unkept'; readonly problem: string }
  /** It is on record, and its share cannot be set now: that is tried again until it can. */
  | { readonly is: 'delayed'; readonly problem: string };

/** A step as it is asked for: null takes what the model's config says. */
export interface RolloutStepAsk {
  readonly weightBp: number;
  readonly holdMs: number | null;
  readonly minRequests: number | null;
  readonly approvals: number;
}

/** What is not said is as the model's config has it. */
export interface RolloutStart extends Operation {
  readonly model: string;
  /** Empty takes the only canary. */
  readonly variant: string;
  readonly steps: readonly RolloutStepAsk[] | null;
  readonly tolerance: { readonly [Name in keyof RolloutTolerance]: RolloutTolerance[Name] | null };
  readonly alpha: number | null;
}

export interface RolloutAction extends Operation {
  readonly id: string;
}

export interface RolloutControl {
  list(): readonly RolloutView[];
  /** Null when there is none of this id. */
  find(id: string): RolloutView | null;
  start(start: RolloutStart): Promise<RolloutResult>;
  pause(action: RolloutAction): Promise<RolloutResult>;
  resume(action: RolloutAction): Promise<RolloutResult>;
  approve(action: RolloutAction): Promise<RolloutResult>;
  /** On to the next step, whatever the judge says. */
  promote(action: RolloutAction): Promise<RolloutResult>;
  /** Gives the canary back the share it had before the first step. */
  abort(action: RolloutAction): Promise<RolloutResult>;
}
