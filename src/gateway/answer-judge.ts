import { Fault, type FaultKind, GatewayError } from '../core/faults.ts';
import type { Prediction } from '../core/inference.ts';
import type { Waiting } from '../core/offload.ts';
import type { Attempt } from './attempt.ts';

/** Who hears what became of an answer, and waits where a thread judges it. */
export interface Judged extends Waiting {
  /** `lie` is why the answer does not fit; empty when it does. Whether the next answer may come at once. */
  judged(attempt: Attempt, prediction: Prediction, lie: string): boolean;
  /** The answer is there, and this gateway could not look at it: that says nothing about the variant. */
  unjudged(attempt: Attempt, kind: FaultKind, detail: string): void;
}

/** Holds an answer against the contract of its model: at once, or aside where it is large. @hot */
export function judgeAnswer(attempt: Attempt, prediction: Prediction, owner: Judged): boolean {
  const lie = attempt.ctx.route.contract!.lie(attempt.asked, prediction, owner);
  if (typeof lie === 'string') return owner.judged(attempt, prediction, lie);
  void judgeLate(attempt, prediction, lie, owner);
  return true;
}

/** Never where a model answers several times. */
async function judgeLate(attempt: Attempt, prediction: Prediction, lie: Promise<string>, owner: Judged): Promise<void> {
  try {
    const found = await lie;
    // The call may have failed behind its answer, and that was noted.
    if (!attempt.over) owner.judged(attempt, prediction, found);
  } catch (error) {
    if (attempt.over) return;
    if (error instanceof GatewayError) owner.unjudged(attempt, error.kind, error.detail);
    else owner.unjudged(attempt, Fault.Bug, String(error));
  }
}
