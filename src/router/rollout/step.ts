import type { Judgement, RolloutSpec } from '../../core/rollout.ts';
import { WHOLE_BP } from '../../core/units.ts';

/** The rule by which a running rollout moves. */

/** Where a rollout stands. */
export interface Standing {
  /** Index into the steps; -1 before the first. */
  readonly step: number;
  readonly msAtStep: number;
  /** Of the canary at this step. */
  readonly requests: number;
  /** People who have approved the next step. */
  readonly approvals: number;
}

export interface Move {
  readonly move: 'advance' | 'hold' | 'roll-back' | 'complete' | 'await-approval';
  readonly reason: string;
}

/**
 * The next move. `judgement` is that of the evidence of this step, null before the first look.
 *
 * Harm rolls back at once, also during the hold time and while people are waited for. At the full weight there is no stable to compare
 * with: the rollout is complete as soon as it stands there, whatever hold time or least requests that step names. Little traffic is no
 * fault of anyone and holds.
 */
export function nextMove(spec: RolloutSpec, standing: Standing, judgement: Judgement | null): Move {
  const at = spec.steps[standing.step];
  if (at === undefined) return standing.step < 0 ? onward(spec, standing, 'not begun') : completed('all steps are done');
  if (at.weightBp >= WHOLE_BP) return completed('the canary has all traffic, and nothing is left to compare it with');
  if (judgement?.verdict === 'harm') return { move: 'roll-back', reason: judgement.reason };
  if (!(standing.msAtStep >= at.holdMs)) {
    return hold(`held for ${seconds(standing.msAtStep)} of ${seconds(at.holdMs)}`);
  }
  if (!(standing.requests >= at.minRequests)) {
    return hold(`the canary has had ${standing.requests} of ${at.minRequests} requests`);
  }
  if (judgement === null) return hold('not judged yet');
  if (judgement.verdict !== 'good') return hold(judgement.reason);
  return onward(spec, standing, judgement.reason);
}

function onward(spec: RolloutSpec, standing: Standing, reason: string): Move {
  const next = spec.steps[standing.step + 1];
  if (next === undefined) return completed(reason);
  if (!(standing.approvals >= next.approvals)) {
    const needed = `${standing.approvals} of ${next.approvals} approvals for ${percent(next.weightBp)}`;
    return { move: 'await-approval', reason: `${needed}; ${reason}` };
  }
  return { move: 'advance', reason };
}

function completed(reason: string): Move {
  return { move: 'complete', reason };
}

function hold(reason: string): Move {
  return { move: 'hold', reason };
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1_000)} s`;
}

function percent(weightBp: number): string {
  return `${weightBp / 100} %`;
}
