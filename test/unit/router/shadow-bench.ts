import { vi } from 'vitest';
import type { ShadowShare } from '../../../src/core/traffic.ts';
import { basisPoints } from '../../../src/core/units.ts';
import { type ShadowLimits, ShadowQueue } from '../../../src/router/shadow-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type FakeVariant, floats, predictionOf, requestOf, variantOf } from './fakes.ts';

const LIMITS: ShadowLimits = { maxQueued: 10, maxInFlight: 1, maxQueuedBytes: 1_000, timeoutMs: 100 };
const ALWAYS = 10_000;
export const PRIMARY = predictionOf(floats([0.1, 0.9]));

/** A shadow queue with one shadow, a clock that stands still, and all that came of its copies. */
export class ShadowBench {
  readonly clock = new FakeClock();
  readonly outcomes: string[] = [];
  readonly queue: ShadowQueue;
  readonly shadow: FakeVariant;

  constructor(limits: Partial<ShadowLimits> = {}, shadow = variantOf('dark', 'shadow')) {
    this.queue = new ShadowQueue({ ...LIMITS, ...limits }, this.clock, (_model, variant, outcome) => {
      this.outcomes.push(`${variant} ${outcome}`);
    });
    this.shadow = shadow;
  }

  get calls() {
    return this.shadow.backend.calls;
  }

  offer(requestId = 'r1', shares = [this.share()], affinity = 7): void {
    this.queue.offer('digits', shares, affinity, requestOf(), PRIMARY, '00-trace', requestId);
  }

  share(sample = ALWAYS): ShadowShare {
    return { variant: this.shadow, sample: basisPoints(sample) };
  }

  /** Moves the queue's clock and its timers alike. */
  pass(ms: number): void {
    this.clock.advance(ms);
    vi.advanceTimersByTime(ms);
  }
}
