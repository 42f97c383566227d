import type { RiskTier } from '../../../config/rollout-schema.ts';
import type { Judgement, RolloutSpec, RolloutState, RolloutTransition, RolloutView } from '../../../core/rollout.ts';

/** A rollout as it stands on disk: all that is needed to go on with it in another process. Never changed, only replaced. */
export interface RolloutRecord {
  readonly version: 1;
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly riskTier: RiskTier;
  /** What stable and canary were when it began: a variant of the same name with another model behind it is another variant. */
  readonly subject: string;
  readonly state: RolloutState;
  /** What a paused one goes back to. */
  readonly pausedIn: 'running' | 'waiting';
  readonly step: number;
  /** How often evidence has begun anew, over all steps: each time has its part of the chance to be wrong. */
  readonly epochs: number;
  readonly stepStartedAt: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly reason: string;
  /** Share of the canary before the first step, basis points. */
  readonly beforeBp: number;
  /** The share that this state asks for is not known to be in force yet. */
  readonly pending: boolean;
  /** Of the plan as this rollout has left it: a later one with another share is the work of other hands. */
  readonly planRevision: number;
  readonly approvedBy: readonly string[];
  readonly judgement: Judgement | null;
  readonly transitions: readonly RolloutTransition[];
  /** All there were; only the last are kept. */
  readonly transitionCount: number;
}

const MAX_TRANSITIONS = 200;
const OVER: ReadonlySet<RolloutState> = new Set(['completed', 'rolled-back', 'aborted', 'superseded']);

/** No judge and no person moves it any more. */
export const isOver = ({ state }: { readonly state: RolloutState }): boolean => OVER.has(state);

/** Share of the canary that the rollout asks for now, basis points. */
export function weightBpOf({ state, step, spec, beforeBp }: RolloutRecord): number {
  return state === 'rolled-back' || state === 'aborted' || step < 0 ? beforeBp : spec.steps[step]!.weightBp;
}

/** People who must approve the step of this number. */
export const needsOf = ({ spec }: RolloutRecord, step: number): number => spec.steps[step]?.approvals ?? 0;

/** What comes behind its step. */
export function onward({ step, spec }: RolloutRecord): readonly [action: string, to: Partial<RolloutRecord>] {
  if (step + 1 >= spec.steps.length) return ['complete', { state: 'completed' }];
  return ['advance', { state: 'running', step: step + 1, approvedBy: [], pending: true }];
}

/** The record after one more transition. */
export function moved(
  record: RolloutRecord,
  to: Partial<RolloutRecord>,
  by: { readonly at: string; readonly actor: string; readonly reason: string },
): RolloutRecord {
  const next = { ...record, ...to };
  const from = record.transitionCount === 0 ? '' : record.state;
  const transition: RolloutTransition = { at: by.at, from, to: next.state, step: next.step, actor: by.actor, reason: by.reason };
  return {
    ...next,
    transitions: [...record.transitions, transition].slice(-MAX_TRANSITIONS),
    transitionCount: record.transitionCount + 1,
  };
}

export function viewOf(record: RolloutRecord, problem: string): RolloutView {
  const { id, spec, state, step, stepStartedAt, startedBy, startedAt, reason, beforeBp, approvedBy, judgement } = record;
  const { pending, transitions } = record;
  return {
    id,
    spec,
    state,
    step,
    stepStartedAt,
    startedBy,
    startedAt,
    reason,
    weightBp: weightBpOf(record),
    beforeBp,
    pending,
    problem,
    approvedBy,
    judgement,
    transitions,
  };
}

/** What an audit record says of a rollout: the statistic and the samples that moved it are in the judgement. */
export function standingOf(record: RolloutRecord): object {
  const { id, state, step, spec, approvedBy, judgement } = record;
  return { rollout: id, variant: spec.variant, state, step, weightBp: weightBpOf(record), approvedBy, judgement };
}

export const lastReason = ({ transitions }: RolloutRecord): string => transitions.at(-1)?.reason ?? '';

/** The record that `text` holds, or null when it holds none of this version. */
export function recordIn(text: string): RolloutRecord | null {
  let value: Partial<RolloutRecord> | null;
  try {
    value = JSON.parse(text) as Partial<RolloutRecord> | null;
  } catch {
    // Not JSON: the caller says so.
    return null;
  }
  if (value === null || typeof value !== 'object' || value.version !== 1) return null;
  const { id, spec, state, step, transitions, approvedBy } = value;
  const isWhole =
    typeof id === 'string' &&
    typeof spec?.model === 'string' &&
    typeof spec.variant === 'string' &&
    Array.isArray(spec.steps) &&
    typeof state === 'string' &&
    Number.isInteger(step) &&
    step! >= -1 &&
    step! < spec.steps.length &&
    Array.isArray(transitions) &&
    Array.isArray(approvedBy);
  // All of it was written at once by this code, so what has these has the rest.
  return isWhole ? (value as RolloutRecord) : null;
}
