import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { QueueRefusal } from '../core/gate.ts';
import type { Tally } from '../core/observer.ts';
import type { Variant } from '../core/traffic.ts';

/** Milliseconds a caller is told to wait when no variant can take the request. */
export const NO_VARIANT_WAIT_MS = 1_000;

/** One try that brought no answer. */
export interface FailedTry {
  readonly variant: Variant;
  readonly kind: FaultKind;
  readonly durationUs: number;
}

/** Counts it, and holds it against its variant unless it says nothing about it. */
export function noteFailure(tally: Tally, ctx: Placed, { variant, kind, durationUs }: FailedTry): void {
  tally.attempt(ctx.route.model, variant.name, kind.code, durationUs);
  // What a backend itself refuses counts too, or a canary that refuses everything would look well.
  if ((kind.blame === 'client' && kind !== Fault.BackendRefused) || kind === Fault.DeadlineOver) return;
  variant.state.failures++;
  variant.state.lastFault = kind.code;
}

/** Why a place in line came to nothing, behind the name of its variant. */
export const SHUT_REASONS: Readonly<Record<QueueRefusal, string>> = {
  displaced: 'is full, and others came first',
  expired: 'is full, and a turn was long in coming',
  closed: 'takes no more calls',
};
