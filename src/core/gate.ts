import type { Pending } from './backend.ts';
import type { Millis } from './units.ts';

/** The door before a variant: how many calls it takes at the same time, and who waits for a place. */

/** Who wants a turn. */
export interface Wish {
  readonly tenant: string;
  /** 0 to 7, 7 the most urgent. */
  readonly priority: number;
  /** What the turn costs its tenant against the others, such as rows. */
  readonly cost: number;
  readonly deadlineMs: Millis;
}

/** Why a turn will not come: a more urgent one needed its room, it waited too long, or its variant was taken out of traffic. */
export type QueueRefusal = 'displaced' | 'expired' | 'closed';

/** Who stands in line. Hears one of the two, once, never from inside `queue`, and neither after it has left the line. */
export interface Turn {
  /** A place was taken for it; it gives the place back by `leave`. */
  admitted(): void;
  refused(reason: QueueRefusal): void;
}

/** What a call says about the load of its backend. */
export const CallOutcome = {
  /** It was answered, so its latency counts. */
  Answered: 0,
  /** It ended because the backend has too much to do: it timed out, or was refused as busy. */
  Overloaded: 1,
  /** It says nothing. */
  Other: 2,
  /** Nobody waited for it any more, after a time that is less than its latency would have been. */
  Cut: 3,
} as const;
export type CallOutcome = (typeof CallOutcome)[keyof typeof CallOutcome];

export interface Gate {
  readonly inFlight: number;
  /** Calls that may be in flight now. */
  readonly limit: number;
  /** How many stand in line. */
  readonly waiting: number;
  /** Takes a place, unless all are taken or somebody stands in line for one. */
  enter(): boolean;
  /** Takes a place that nobody else is likely to need soon: for copies, which give way first. */
  enterSpare(): boolean;
  /** Stands in line; cancelling what is returned leaves it. Null when there is no room, or its turn would come too late. */
  queue(turn: Turn, wish: Wish): Pending | null;
  /** Refuses all that stand in line, as `closed`: their variant is out, and the calls before them may take long to end. */
  dismiss(): void;
  /** Gives a place back, once the backend has really stopped. `latencyUs` counts where the call was answered or cut. */
  leave(outcome: CallOutcome, latencyUs: number): void;
}
