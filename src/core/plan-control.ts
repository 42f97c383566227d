import type { Operation, PlanView, Reached } from './control-plane.ts';
import type { Pin } from './traffic.ts';

/** How operators change the plan of a model, look back at what it was, and go back there. */

/** What has given a model its plan: the config file, a person, a rollout, or the way back to an earlier plan. */
export type PlanCause = 'config' | 'admin' | 'rollout' | 'rollback';

/** Who asks for a change, why, and what they have seen. */
export interface PlanOrder extends Operation {
  readonly model: string;
  /** The revision the caller has seen; another one in force is a conflict. Null does not ask. */
  readonly expectedRevision: number | null;
  /** Only says what would become of it. */
  readonly dryRun: boolean;
}

/** A new plan, made from the one in force. What is null stays as it is. */
export interface PlanChange extends PlanOrder {
  readonly cause: PlanCause;
  /** Basis points by variant name; canaries not named keep theirs, and stable, when not named, takes the rest. */
  readonly weights: ReadonlyMap<string, number> | null;
  readonly pins: readonly Pin[] | null;
  readonly fallbacks: readonly string[] | null;
}

/** All traffic to one variant. */
export interface PlanSwitch extends PlanOrder {
  readonly variant: string;
}

/** Back to an earlier plan: its slots, pins and fallbacks as they were, under a new revision. */
export interface PlanRollback extends PlanOrder {
  /** Null goes one back; done again, one further. */
  readonly toRevision: number | null;
}

/** A plan in the words of operators. */
export interface PlanFacts {
  readonly revision: number;
  readonly weightsBp: Readonly<Record<string, number>>;
  readonly pins: readonly Pin[];
  readonly fallbacks: readonly string[];
}

/** What a change does to callers. Pins come on top: how many callers they catch, no plan can know. */
export interface PlanEffect {
  readonly before: PlanFacts;
  readonly after: PlanFacts;
  /** Callers who get another variant than before. */
  readonly movedBp: number;
  readonly moves: readonly { readonly from: string; readonly to: string; readonly bp: number }[];
}

export type PlanResult =
  | {
      readonly is: 'applied';
      readonly plan: PlanView;
      readonly effect: PlanEffect;
      readonly workers: Reached;
      /** Why it will not outlive this gateway yet; empty when it will. Only what leads to stable alone holds without its history. */
      readonly unkept: string;
    }
  /** What a dry run would have done. */
  | { readonly is: 'planned'; readonly effect: PlanEffect }
  | { readonly is: 'unknown' }
  | { readonly is: 'conflict'; readonly revision: number }
  | { readonly is: 'invalid'; readonly problems: readonly string[] }
  /** The history has no such revision. */
  | { readonly is: 'absent'; readonly problem: string }
  /** Whether the history has it cannot be said. */
  | { readonly is: 'unread'; readonly problem: string }
  | { readonly is: 'unaudited'; readonly problem: string }
  /** It could not be written to the history, and so it does not hold. */
  | { readonly is: 'unkept'; readonly problem: string };

/** One plan that was in force. */
export interface RevisionView extends PlanFacts {
  /** ISO time. */
  readonly at: string;
  readonly cause: PlanCause;
  readonly actor: string;
  readonly reason: string;
  /** The revision it went back to; 0 when it went back to none. */
  readonly restores: number;
}

export interface HistoryView {
  readonly model: string;
  /** The one in force. */
  readonly revision: number;
  /** Newest first. */
  readonly revisions: readonly RevisionView[];
  /** What is wrong with the history; empty when nothing is. */
  readonly problem: string;
}

export type RevisionResult =
  /** `slots` says who has which of the 10,000 slots, in runs: `v1:9500 v2:500`. */
  | { readonly is: 'found'; readonly revision: RevisionView; readonly slots: string }
  | { readonly is: 'unknown' }
  | { readonly is: 'absent' | 'unread'; readonly problem: string };

export interface TrafficControl {
  /** Resolves when the change is in force everywhere. */
  change(change: PlanChange): Promise<PlanResult>;
  switchTo(change: PlanSwitch): Promise<PlanResult>;
  /** Resolves within a second whatever backends and workers do; who has not taken it over by then is ended soon after. */
  rollBack(rollback: PlanRollback): Promise<PlanResult>;
  /** Null when there is no such model. */
  history(model: string, limit: number): Promise<HistoryView | null>;
  revision(model: string, revision: number): Promise<RevisionResult>;
}
