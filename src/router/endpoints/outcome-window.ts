const SLOTS = 10;

/** Older than everything, also in the first seconds of a clock that starts at 0. */
const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Good and bad calls of the last while, in ten slots of equal time that are overwritten in turn.
 *
 *   slot of now = floor(now / slotMs); a slot that holds another time's counts is emptied before it is used
 */
export class OutcomeWindow {
  readonly #slotMs: number;
  readonly #good = new Uint32Array(SLOTS);
  readonly #bad = new Uint32Array(SLOTS);
  /** Which time each slot counts. */
  readonly #times = new Float64Array(SLOTS).fill(NEVER);
  good = 0;
  bad = 0;

  constructor(windowMs: number) {
    this.#slotMs = Math.max(1, Math.ceil(windowMs / SLOTS));
  }

  /** @hot */
  note(isGood: boolean, nowMs: number): void {
    const time = Math.floor(nowMs / this.#slotMs);
    const slot = time % SLOTS;
    if (this.#times[slot] !== time) {
      this.#times[slot] = time;
      this.#good[slot] = 0;
      this.#bad[slot] = 0;
    }
    if (isGood) this.#good[slot]!++;
    else this.#bad[slot]!++;
  }

  /** Sums what is not too old into `good` and `bad`. */
  sum(nowMs: number): void {
    const oldest = Math.floor(nowMs / this.#slotMs) - SLOTS + 1;
    this.good = 0;
    this.bad = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#times[slot]! < oldest) continue;
      this.good += this.#good[slot]!;
      this.bad += this.#bad[slot]!;
    }
  }

  clear(): void {
    this.#times.fill(NEVER);
  }
}
