import type { CallPolicy } from '../../src/core/call-policy.ts';
import type { Gate } from '../../src/core/gate.ts';
import { VariantGate } from '../../src/limits/variant-gate.ts';
import { FakeClock } from './fake-clock.ts';

/** A door that lets in so many calls and has no line before it. */
export function gateFor(maxInFlight: number): Gate {
  return new VariantGate({ clock: new FakeClock(), maxInFlight, adaptive: null, queue: null });
}

/** Tries again as config does by default, and never runs out of retries. */
export function patient(more: Partial<CallPolicy> = {}): CallPolicy {
  return { maxRetries: 1, tryTimeoutMs: 0, budget: { requested: () => undefined, take: () => true }, hedge: null, ...more };
}
