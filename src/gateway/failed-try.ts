import type { Clock } from '../core/clock.ts';
import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { QueueRefusal } from '../core/gate.ts';
import type { Tally } from '../core/observer.ts';
import type { Variant } from '../core/traffic.ts';
import { hasTime } from './time-left.ts';

/** Milliseconds a caller is told to wait when no variant can take the request. */
export const NO_VARIANT_WAIT_MS = 1_000;

/** One try that brought no answer. */
export interface FailedTry {
  readonly variant: Variant;
  readonly kind: FaultKind;
  readonly durationUs: number;
}

/** What a try is noted as: the end of the caller's own patience says nothing about the variant. */
export function blamed(kind: FaultKind, ctx: Placed, clock: Clock): FaultKind {
  return ctx.deadlineIsCallers && !hasTime(ctx, clock) ? Fault.DeadlineOver : kind;
}

/** Counts it, and holds it against its variant unless it says nothing about it. */
export function noteFailure(tally: Tally, ctx: Placed, { variant, kind, durationUs }: FailedTry): void {
  tally.attempt(ctx.route.model, variant.name, kind.code, durationUs);
  // What a backend itself refuses counts too, or a canary that refuses everything would look well.
  if ((kind.blame === 'client' && kind !== Fault.BackendRefused) || kind === Fault.DeadlineOver) return;
  variant.state.failures++;
  variant.state.lastFault = kind.code;
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
