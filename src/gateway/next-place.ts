import type { Clock } from '../core/clock.ts';
import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { Variant } from '../core/traffic.ts';
import { fallbackAfter } from '../router/fallbacks.ts';
import type { Attempt } from './attempt.ts';
import { leftMs } from './time-left.ts';

/** Where a request is tried next. */
export interface NextPlace {
  readonly variant: Variant;
  /** The endpoint of that variant that has just failed; empty where all of its endpoints will do. */
  readonly avoid: string;
  /** Milliseconds to wait before it. */
  readonly delayMs: number;
}

/** The same place is asked again after a moment, and not by all at the same one. */
const PAUSE_MS = { least: 5, most: 25 } as const;

/**
 * Where a request goes whose last try failed; null where it must not be tried again. First to another endpoint of its variant, then to the
 * plan's next fallback, and only then to where it was. `attempt` is null when `variant` took no call at all.
 *
 * A prediction asked for twice does no harm. A sequence is different: its state is in one place, and another would begin it anew. And a
 * caller that named its variant gets that one or a fault; a fallback would answer a question it did not ask.
 */
export function nextPlace(ctx: Placed, variant: Variant, attempt: Attempt | null, kind: FaultKind): NextPlace | null {
  if (ctx.request.sequenceId !== '') return null;
  if (!mayTryAgain(kind, attempt)) return null;
  const { plan, calls } = ctx.route;
  const fallback = ctx.pinned ? null : fallbackAfter(plan, ctx.variant, variant);
  const left = calls.maxRetries + 1 - ctx.attempts;
  // The last try of all belongs to a fallback: a variant as a whole may be what fails. And each fallback has a try of its own.
  if (fallback !== null && (attempt === null || left <= 1 || !hasOtherEndpoint(attempt))) {
    // It may well live at the very address that failed just now, and nowhere else.
    return ctx.attempts <= calls.maxRetries + plan.fallbacks.length ? { variant: fallback, avoid: '', delayMs: 0 } : null;
  }
  if (left < 1 || attempt === null) return null;
  if (hasOtherEndpoint(attempt)) return { variant, avoid: attempt.endpoint, delayMs: 0 };
  // Refused without a call it would be again, and a place that is slow would only be slower.
  if (attempt.endpoint === '' || kind === Fault.BackendTimeout) return null;
  return { variant, avoid: '', delayMs: Math.max(attempt.retryAfterMs, pauseMs()) };
}

/** Whether there is time for it, and it is free or the budget has room for it; then it is counted. */
export function mayRetry(attempt: Attempt, next: NextPlace, clock: Clock): boolean {
  if (next.delayMs >= leftMs(attempt.ctx, clock)) return false;
  return isFree(attempt, next) || attempt.ctx.route.calls.budget.take(clock.nowMs());
}

/**
 * The budget bounds the load that retries add. A fallback carries what a variant cannot be reached with, as it would without that variant; and
 * what was refused without a call was nobody's load.
 */
function isFree(attempt: Attempt, next: NextPlace): boolean {
  return attempt.endpoint === '' || (!attempt.reached && next.variant !== attempt.variant);
}

/** What the catalogue calls retryable, and a try that ran out of its own time and not of the request's. */
function mayTryAgain(kind: FaultKind, attempt: Attempt | null): boolean {
  // A backend that asks for no other try speaks for all of them (gRPC A6).
  if (attempt !== null && attempt.retryAfterMs < 0) return false;
  return kind.retry === 'elsewhere' || (attempt !== null && kind === Fault.BackendTimeout);
}

/** A second call beside a slow one is worth its cost where it may go elsewhere, and where asking twice changes nothing. @hot */
export function mayHedge(attempt: Attempt): boolean {
  const { request, route } = attempt.ctx;
  return request.sequenceId === '' && !route.contract!.signature.decoupled && hasOtherEndpoint(attempt);
}

/** Whether its variant has one besides that of this attempt. One that was refused without a call would be again. @hot */
function hasOtherEndpoint({ endpoint, variant }: Attempt): boolean {
  return endpoint !== '' && variant.state.endpoints.hasOther(endpoint);
}

/** Not for secrets, only to spread what would else come back in step. */
const pauseMs = (): number => PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least);
