import type { Pending } from '../core/backend.ts';
import type { Clock } from '../core/clock.ts';
import { CallOutcome, type Gate, type Turn, type Wish } from '../core/gate.ts';
import type { AdaptiveLimit } from './adaptive-limit.ts';
import type { FairQueue } from './fair-queue.ts';

export interface VariantGateOptions {
  readonly clock: Clock;
  /** Calls that may ever be in flight. */
  readonly maxInFlight: number;
  /** Follows the backend's latency below that; null leaves it at the most. */
  readonly adaptive: AdaptiveLimit | null;
  /** Null refuses whoever finds all places taken. */
  readonly queue: FairQueue<Turn> | null;
}

/** Copies enter while so much of the limit is free: under load they are the first to stay out. */
const SPARE_SHARE = 0.8;

/** The places of one variant: a limit that may follow the backend's latency, and a fair line before it. */
export class VariantGate implements Gate {
  readonly #o: VariantGateOptions;
  #inFlight = 0;
  #calling = false;

  constructor(options: VariantGateOptions) {
    this.#o = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @hot */
  get limit(): number {
    const { adaptive, maxInFlight } = this.#o;
    return adaptive === null ? maxInFlight : Math.min(adaptive.limit, maxInFlight);
  }

  get waiting(): number {
    return this.#o.queue === null ? 0 : this.#o.queue.length;
  }

  /** @hot */
  enter(): boolean {
    if (this.#inFlight >= this.limit || this.waiting > 0) return false;
    this.#inFlight++;
    return true;
  }

  enterSpare(): boolean {
    if (this.waiting > 0 || this.#inFlight >= Math.max(1, this.limit * SPARE_SHARE)) return false;
    this.#inFlight++;
    return true;
  }

  queue(turn: Turn, wish: Wish): Pending | null {
    const { queue } = this.#o;
    // With no call in flight nobody would ever call the next in line; there is no place at all then.
    return queue === null || this.#inFlight === 0 ? null : queue.push(turn, wish, this.#inFlight);
  }

  dismiss(): void {
    this.#o.queue?.clear();
  }

  /** @hot */
  leave(outcome: CallOutcome, latencyUs: number): void {
    if (this.#inFlight === 0) return;
    const { adaptive, clock } = this.#o;
    if (adaptive !== null) {
      if (outcome === CallOutcome.Answered) adaptive.succeeded(latencyUs, this.#inFlight, clock.nowMs());
      else if (outcome === CallOutcome.Cut) adaptive.cut(latencyUs, this.#inFlight, clock.nowMs());
      else if (outcome === CallOutcome.Overloaded) adaptive.overloaded(this.#inFlight, clock.nowMs());
    }
    this.#inFlight--;
    if (this.waiting > 0) this.#callNext();
  }

  /**
   * The limit may have risen by more than the one place that became free. Whoever is called may give its place back from inside; then the
   * loop that called it goes on, rather than another inside it.
   */
  #callNext(): void {
    if (this.#calling) return;
    this.#calling = true;
    const queue = this.#o.queue!;
    try {
      while (this.#inFlight < this.limit) {
        const turn = queue.take();
        if (turn === null) return;
        this.#inFlight++;
        turn.admitted();
      }
    } finally {
      this.#calling = false;
    }
  }
}
