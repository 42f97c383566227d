import type { Clock } from '../core/clock.ts';
import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { QueueRefusal } from '../core/gate.ts';
import type { Tally } from '../core/observer.ts';
import type { FailedTryStory } from '../core/request-story.ts';
import type { Variant } from '../core/traffic.ts';
import type { Attempt } from './attempt.ts';
import { hasTime } from './time-left.ts';

/** Milliseconds a caller is told to wait when no variant can take the request. */
export const NO_VARIANT_WAIT_MS = 1_000;

/** What a try is noted as: the end of the caller's own patience says nothing about the variant. */
export function blamed(kind: FaultKind, ctx: Placed, clock: Clock): FaultKind {
  return ctx.deadlineIsCallers && !hasTime(ctx, clock) ? Fault.DeadlineOver : kind;
}

/** A try that brought no answer. */
export function noteFailure(tally: Tally, clock: Clock, attempt: Attempt, kind: FaultKind): void {
  const durationUs = clock.nowUs() - attempt.startedUs;
  note(tally, attempt.ctx, { variant: attempt.variant.name, endpoint: attempt.endpoint, code: kind.code, durationUs });
  hold(attempt.variant, kind);
}

/** A try that the variant did not take. */
export function noteShut(tally: Tally, ctx: Placed, variant: Variant, kind: FaultKind): void {
  note(tally, ctx, { variant: variant.name, endpoint: '', code: kind.code, durationUs: 0 });
  hold(variant, kind);
}

function note(tally: Tally, ctx: Placed, story: FailedTryStory): void {
  tally.attempt(ctx.route.model, story.variant, story.code, story.durationUs);
  ctx.failedTries = [...ctx.failedTries, story];
}

/** Holds it against its variant unless it says nothing about it. */
function hold({ state }: Variant, kind: FaultKind): void {
  if (!speaksOfVariant(kind)) return;
  state.failures++;
  state.lastFault = kind.code;
}

/** What a backend itself refuses counts too, or a canary that refuses everything would look well. */
export function speaksOfVariant(kind: FaultKind): boolean {
  return kind !== Fault.DeadlineOver && (kind.blame !== 'client' || kind === Fault.BackendRefused);
}

/** Why a variant takes nothing now. */
export interface Shut {
  readonly kind: FaultKind;
  /** Stands behind the name of the variant. */
  readonly why: string;
}

export const NOT_READY: Shut = { kind: Fault.NoVariant, why: 'is not ready' };
export const FULL: Shut = { kind: Fault.Overloaded, why: 'is full' };

/** What became of a place in line. */
export const OUT_OF_LINE: Readonly<Record<QueueRefusal, Shut>> = {
  displaced: { kind: Fault.Overloaded, why: 'is full, and others came first' },
  expired: { kind: Fault.Overloaded, why: 'is full, and a turn was long in coming' },
  closed: NOT_READY,
};
