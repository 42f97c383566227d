import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeCall } from '../fakes.ts';
import { floats, requestOf } from '../fakes.ts';
import { CopyBench, PRIMARY } from './copy-bench.ts';

const LIMITS = { maxQueued: 3, maxInFlight: 2, maxQueuedBytes: 100, timeoutMs: 50 };
const PRIMARY_BYTES = 8;

type Act =
  | { readonly is: 'offer'; readonly values: number }
  | { readonly is: 'end'; readonly which: number }
  | { readonly is: 'pass'; readonly ms: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ is: fc.constant('offer' as const), values: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ is: fc.constant('offer' as const), values: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ is: fc.constant('end' as const), which: fc.nat({ max: 5 }) }),
  fc.record({ is: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }),
);

interface Waiting {
  readonly id: string;
  readonly sizeBytes: number;
  readonly deadlineMs: number;
}

/** The queue as an array. */
class NaiveQueue {
  waiting: Waiting[] = [];
  running: string[] = [];
  readonly begun: string[] = [];
  dropped = 0;
  nowMs = 0;

  get bytes(): number {
    return this.waiting.reduce((sum, copy) => sum + copy.sizeBytes, 0);
  }

  offer(id: string, sizeBytes: number): void {
    const fits = this.waiting.length < LIMITS.maxQueued && this.bytes + sizeBytes <= LIMITS.maxQueuedBytes;
    if (fits) this.waiting.push({ id, sizeBytes, deadlineMs: this.nowMs + LIMITS.timeoutMs });
    else this.dropped++;
    this.#start();
  }

  end(id: string): void {
    this.running = this.running.filter((other) => other !== id);
    this.#start();
  }

  #start(): void {
    while (this.running.length < LIMITS.maxInFlight && this.waiting.length > 0) {
      const copy = this.waiting.shift()!;
      if (copy.deadlineMs <= this.nowMs) this.dropped++;
      else {
        this.running.push(copy.id);
        this.begun.push(copy.id);
      }
    }
  }
}

/** Plays the same acts on the queue and on the array. */
class Drive {
  readonly bench = new CopyBench(LIMITS);
  readonly naive = new NaiveQueue();
  #offers = 0;

  run(one: Act): void {
    if (one.is === 'offer') this.#offer(one.values);
    else if (one.is === 'end') this.#end(one.which);
    else {
      this.naive.nowMs += one.ms;
      this.bench.pass(one.ms);
    }
  }

  #offer(values: number): void {
    const id = `r${this.#offers++}`;
    const request = requestOf([floats(new Array(values).fill(0))]);
    this.bench.offer(id, request);
    this.naive.offer(id, values * 4 + PRIMARY_BYTES);
  }

  #end(which: number): void {
    const running = this.bench.calls.filter((call: FakeCall) => this.naive.running.includes(call.options.requestId));
    const call = running[which % Math.max(1, running.length)];
    if (call === undefined) return;
    call.answer(PRIMARY);
    this.naive.end(call.options.requestId);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('CopyQueue against a naive model', () => {
  it('begins, keeps and drops the same copies over any sequence of acts', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const drive = new Drive();
        const { bench, naive } = drive;
        for (const one of acts) {
          drive.run(one);
          expect(bench.calls.map((call) => call.options.requestId)).toEqual(naive.begun);
          expect([bench.queue.length, bench.queue.queuedBytes, bench.queue.inFlight]).toEqual([
            naive.waiting.length,
            naive.bytes,
            naive.running.length,
          ]);
          expect(bench.outcomes.filter((outcome) => outcome.endsWith('dropped')).length).toBe(naive.dropped);
          expect(bench.variant.gate.inFlight).toBe(naive.running.length);
        }
      }),
      { seed: 20_260, numRuns: 200 },
    );
  });
});
