import { DeadlineHeap, type Timed } from './deadline-heap.ts';
import { MAX_ALARM_MS, type Timing } from './timing.ts';

/**
 * Watches many deadlines with one alarm, which is moved only when an earlier one comes. Nearly none of them is ever reached: a place in a heap
 * costs a tenth of a timer of the system.
 */
export class Deadlines<T extends Timed> {
  readonly #timing: Timing;
  readonly #expired: (item: T) => void;
  readonly #heap = new DeadlineHeap<T>();
  readonly #ring = (): void => this.#expire();
  #armedMs = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | null = null;

  /** `expired` hears of each whose time is over; it is watched no more by then. */
  constructor(timing: Timing, expired: (item: T) => void) {
    this.#timing = timing;
    this.#expired = expired;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** Watches `item`, which must not be watched yet; its deadline stays as it is meanwhile. @hot */
  add(item: T, nowMs: number): void {
    this.#heap.add(item);
    if (item.deadlineMs < this.#armedMs) this.#arm(item.deadlineMs, nowMs);
  }

  /** Idempotent. An alarm that nothing needs any more rings for nothing, which is cheaper than to move it each time. @hot */
  remove(item: T): void {
    this.#heap.remove(item);
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
    for (let item = this.#heap.first; item !== null && item.deadlineMs <= nowMs; item = this.#heap.first) {
      this.#heap.remove(item);
      this.#expired(item);
    }
    const first = this.#heap.first;
    if (first !== null && first.deadlineMs < this.#armedMs) this.#arm(first.deadlineMs, nowMs);
  }
}
