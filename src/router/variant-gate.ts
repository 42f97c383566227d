import type { Variant } from '../core/traffic.ts';

/** The gate before a variant's backend: open while the variant is ready and below its calls in flight. */

/**
 * Notes an attempt and takes a place, which `leaveFrom` gives back when the backend has really stopped. A refusal is an attempt as
 * well, or a dead canary would look idle rather than failing.
 *
 * @hot
 */
export function admitTo(variant: Variant): boolean {
  const state = variant.state;
  state.attempts++;
  if (state.readiness.is !== 'ready' || state.inFlight >= variant.maxInFlight) return false;
  state.inFlight++;
  return true;
}

/** @hot Clamped: a place given back twice must not let in more than the variant takes. */
export function leaveFrom(variant: Variant): void {
  if (variant.state.inFlight > 0) variant.state.inFlight--;
}
