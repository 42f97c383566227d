import { vi } from 'vitest';
import type { InferenceRequest, Prediction } from '../../../../src/core/inference.ts';
import { SpareTurns } from '../../../../src/router/comparison/spare-turns.ts';
import type { Answered } from '../../../../src/router/copies/answered.ts';
import { CopyQueue, type QueueLimits } from '../../../../src/router/copies/copy-queue.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { comparerFor } from '../comparison/policies.ts';
import { type FakeVariant, floats, predictionOf, requestOf, variantOf } from '../fakes.ts';

const LIMITS: QueueLimits = { maxQueued: 10, maxInFlight: 1, maxQueuedBytes: 1_000, timeoutMs: 100 };
export const PRIMARY = predictionOf(floats([0.1, 0.9]));

export function answeredOf(of: Partial<Answered> & { readonly prediction?: Prediction } = {}): Answered {
  const { prediction = PRIMARY, ...more } = of;
  const by = more.by ?? variantOf('v1');
  return {
    model: 'digits',
    tenant: 'acme',
    requestId: 'r1',
    traceparent: '00-trace',
    affinity: 7,
    request: requestOf(),
    rows: 1,
    outputs: prediction.outputs,
    by,
    stable: by,
    tookUs: 0,
    costNano: 0,
    ...more,
  };
}

export interface BenchOptions {
  readonly variant?: FakeVariant;
  /** When the next turn of the event loop comes; at once unless a test says otherwise. */
  readonly later?: (turn: () => void) => void;
  readonly compare?: () => 'agreed';
}

/** A queue for one shadow, a clock that stands still, and all that came of its copies. */
export class CopyBench {
  readonly clock = new FakeClock();
  readonly outcomes: string[] = [];
  readonly lost: unknown[] = [];
  readonly queue: CopyQueue;
  readonly variant: FakeVariant;

  constructor(limits: Partial<QueueLimits> = {}, options: BenchOptions = {}) {
    const { variant = variantOf('dark', 'shadow'), later = (turn) => turn() } = options;
    const comparer = comparerFor();
    this.queue = new CopyQueue(
      { ...LIMITS, ...limits },
      {
        clock: this.clock,
        turns: new SpareTurns({ nowUs: () => this.clock.nowUs(), later }),
        compare:
          options.compare ?? ((answered, second) => comparer.compare(answered.outputs, second.prediction.outputs).agreement),
        onOutcome: (_answered, asked, outcome) => this.outcomes.push(`${asked.name} ${outcome}`),
        onLost: (error) => this.lost.push(error),
      },
    );
    this.variant = variant;
  }

  get calls() {
    return this.variant.backend.calls;
  }

  offer(requestId = 'r1', request: InferenceRequest = requestOf()): void {
    this.queue.offer(answeredOf({ requestId, request }), this.variant);
  }

  /** Moves the queue's clock and its timers alike. */
  pass(ms: number): void {
    this.clock.advance(ms);
    vi.advanceTimersByTime(ms);
  }
}
