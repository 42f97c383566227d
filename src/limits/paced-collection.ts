import type { Clock } from '../core/clock.ts';

/** Least time from one collection to the next. */
const LEAST_PAUSE_MS = 1_000;
/** So many times as long as a collection takes, none follows: a large heap stands still for a twentieth of the time at most. */
const PAUSE_FACTOR = 20;

/** Collections of garbage that are asked for, and not had too often. */
export class PacedCollection {
  readonly #collect: () => void;
  readonly #clock: Clock;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(collect: () => void, clock: Clock) {
    this.#collect = collect;
    this.#clock = clock;
  }

  /** Does nothing while it is too soon. */
  run(): void {
    const startMs = this.#clock.nowMs();
    if (startMs < this.#nextMs) return;
    this.#collect();
    const endMs = this.#clock.nowMs();
    this.#nextMs = endMs + Math.max(LEAST_PAUSE_MS, (endMs - startMs) * PAUSE_FACTOR);
  }
}
