import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { Variant } from '../core/traffic.ts';
import type { Attempt } from './attempt.ts';

/** Where a request is tried next. */
export interface NextPlace {
  readonly variant: Variant;
  /** Not where the last try was. */
  readonly elsewhere: boolean;
  /** Milliseconds to wait before it. */
  readonly delayMs: number;
}

/** The same place is asked again after a moment, and not by all at the same one. */
const PAUSE_MS = { least: 5, most: 25 } as const;

/**
 * Where a request goes whose last try failed; null where it must not be tried again. First to another endpoint of its variant, then from a
 * canary to stable, and only then to where it was. `attempt` is null when the variant took no call at all.
 *
 * A prediction asked for twice does no harm. A sequence is different: its state is in one place, and another would begin it anew. And a
 * caller that named its variant gets that one or a fault; a fallback would answer a question it did not ask.
 */
export function nextPlace(ctx: Placed, attempt: Attempt | null, kind: FaultKind): NextPlace | null {
  if (ctx.request.sequenceId !== '') return null;
  const variant = attempt === null ? currentOf(ctx) : attempt.variant;
  const stable = ctx.route.plan.variants[0]!;
  const mayFallBack = variant !== stable && variant.role !== 'stable' && !ctx.pinned;
  const left = ctx.route.calls.maxRetries + 1 - ctx.attempts;
  if (!mayTryAgain(kind, attempt)) return null;
  // The last try of all belongs to stable: a canary as a whole may be what fails.
  if (mayFallBack && (attempt === null || left <= 1 || !hasOtherEndpoint(variant, attempt.endpoint))) {
    return ctx.attempts < ctx.route.calls.maxRetries + 2 ? { variant: stable, elsewhere: true, delayMs: 0 } : null;
  }
  if (left < 1 || attempt === null) return null;
  if (hasOtherEndpoint(variant, attempt.endpoint)) return { variant, elsewhere: true, delayMs: 0 };
  // Refused without a call it would be again, and a place that is slow would only be slower.
  if (attempt.endpoint === '' || kind === Fault.BackendTimeout) return null;
  return { variant, elsewhere: false, delayMs: Math.max(attempt.retryAfterMs, pauseMs()) };
}

/**
 * The budget bounds the load that retries add. Stable carries what a canary cannot be reached with, as it would without that canary; and what
 * was refused without a call was nobody's load.
 */
export function isFree(attempt: Attempt, next: NextPlace): boolean {
  return attempt.endpoint === '' || (!attempt.reached && next.variant !== attempt.variant);
}

/** The variant that shut its door. */
function currentOf(ctx: Placed): Variant {
  return ctx.attempts <= 1 ? ctx.variant : ctx.route.plan.variants[0]!;
}

/** What the catalogue calls retryable, and a try that ran out of its own time and not of the request's. */
function mayTryAgain(kind: FaultKind, attempt: Attempt | null): boolean {
  // A backend that asks for no other try speaks for all of them (gRPC A6).
  if (attempt !== null && attempt.retryAfterMs < 0) return false;
  return kind.retry === 'elsewhere' || (attempt !== null && kind === Fault.BackendTimeout);
}

/** A second call beside a slow one is worth its cost where it may go elsewhere, and where asking twice changes nothing. */
export function mayHedge(ctx: Placed, variant: Variant): boolean {
  if (ctx.request.sequenceId !== '' || ctx.route.contract!.signature.decoupled) return false;
  return variant.state.endpoints.views().length > 1;
}

function hasOtherEndpoint(variant: Variant, endpoint: string): boolean {
  if (endpoint === '') return false;
  return variant.state.endpoints.views().some((view) => view.endpoint !== endpoint && TAKES_CALLS.has(view.state));
}

const TAKES_CALLS: ReadonlySet<string> = new Set(['healthy', 'slow-start', 'probation']);

/** Not for secrets, only to spread what would else come back in step. */
const pauseMs = (): number => PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least);
