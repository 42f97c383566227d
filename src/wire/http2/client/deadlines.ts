import { MAX_ALARM_MS, type Timing } from '../timing.ts';
import { DeadlineHeap, type Timed } from './deadline-heap.ts';

export interface Expiring extends Timed {
  /** Its time is over; it is in no heap any more. */
  expire(): void;
}

/** Watches the deadlines of all calls of a channel with one alarm, which is moved only when an earlier deadline comes. */
export class Deadlines {
  readonly #timing: Timing;
  readonly #heap = new DeadlineHeap<Expiring>();
  readonly #ring = (): void => this.#expire();
  #armedMs = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | null = null;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** @hot */
  add(call: Expiring, nowMs: number): void {
    this.#heap.add(call);
    if (call.deadlineMs < this.#armedMs) this.#arm(call.deadlineMs, nowMs);
  }

  /** Idempotent. An alarm that nothing needs any more rings for nothing, which is cheaper than to move it each time. @hot */
  remove(call: Expiring): void {
    this.#heap.remove(call);
  }

  #arm(deadlineMs: number, nowMs: number): void {
    this.#disarm?.();
    this.#armedMs = deadlineMs;
    this.#disarm = this.#timing.setAlarm(Math.min(Math.max(1, deadlineMs - nowMs), MAX_ALARM_MS), this.#ring);
  }

  #expire(): void {
    const nowMs = this.#timing.clock.nowMs();
    this.#armedMs = Number.POSITIVE_INFINITY;
    this.#disarm = null;
    for (let call = this.#heap.first; call !== null && call.deadlineMs <= nowMs; call = this.#heap.first) {
      this.#heap.remove(call);
      call.expire();
    }
    const first = this.#heap.first;
    if (first !== null && first.deadlineMs < this.#armedMs) this.#arm(first.deadlineMs, nowMs);
  }
}
