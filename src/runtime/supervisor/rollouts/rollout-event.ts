import type { Judgement, RolloutState, RolloutTransition } from '../../../core/rollout.ts';
import { type RolloutRecord, weightBpOf } from './rollout-record.ts';

export const EVENT_TYPE = 'dev.sluice.rollout.transition';

/** A transition of a rollout as CloudEvents 1.0 tells it, in structured JSON. */
export interface RolloutEvent {
  readonly specversion: '1.0';
  /** The same for each try to deliver it. */
  readonly id: string;
  readonly source: string;
  readonly type: typeof EVENT_TYPE;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: {
    readonly rollout: string;
    readonly model: string;
    readonly variant: string;
    readonly from: RolloutState | '';
    readonly to: RolloutState;
    readonly step: number;
    readonly steps: number;
    readonly weightBp: number;
    readonly actor: string;
    readonly reason: string;
    readonly judgement: Judgement | null;
  };
}

export function eventOf(
  record: RolloutRecord,
  { at, from, to, step, actor, reason }: RolloutTransition,
  source: string,
): RolloutEvent {
  const { id, spec, judgement } = record;
  const { model, variant, steps } = spec;
  return {
    specversion: '1.0',
    // A rollout makes its transitions one after another, also over restarts.
    id: `${id}.${record.transitionCount}`,
    source,
    type: EVENT_TYPE,
    subject: `models/${model}/rollouts/${id}`,
    time: at,
    datacontenttype: 'application/json',
    data: {
      rollout: id,
      model,
      variant,
      from,
      to,
      step,
      steps: steps.length,
      weightBp: weightBpOf(record),
      actor,
      reason,
      judgement,
    },
  };
}
