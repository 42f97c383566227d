import type {
  HistoryView,
  PlanChange,
  PlanEffect,
  PlanResult,
  PlanRollback,
  PlanSwitch,
  RevisionResult,
  TrafficControl,
} from '../../../src/core/plan-control.ts';

const FACTS = { revision: 3, weightsBp: { v1: 9_500, v2: 500 }, pins: [], fallbacks: ['v1'] };
export const EFFECT: PlanEffect = { before: FACTS, after: { ...FACTS, revision: 4 }, movedBp: 0, moves: [] };

/** Plans that are what a test says, and remember what was asked of them. */
export class ScriptedTraffic implements TrafficControl {
  readonly orders: (readonly [string, PlanChange | PlanSwitch | PlanRollback])[] = [];
  readonly limits: number[] = [];
  result: PlanResult = { is: 'unknown' };
  past: HistoryView | null = null;
  found: RevisionResult = { is: 'unknown' };

  change(change: PlanChange): Promise<PlanResult> {
    return this.#answer('change', change);
  }

  switchTo(change: PlanSwitch): Promise<PlanResult> {
    return this.#answer('switch', change);
  }

  rollBack(rollback: PlanRollback): Promise<PlanResult> {
    return this.#answer('rollback', rollback);
  }

  history(_model: string, limit: number): Promise<HistoryView | null> {
    this.limits.push(limit);
    return Promise.resolve(this.past);
  }

  revision(): Promise<RevisionResult> {
    return Promise.resolve(this.found);
  }

  #answer(word: string, order: PlanChange | PlanSwitch | PlanRollback): Promise<PlanResult> {
    this.orders.push([word, order]);
    return Promise.resolve(this.result);
  }
}
