import type { Millis } from '../core/units.ts';

const SLOTS = 5;

/** The least of the values noted of late, in slots of time that are forgotten one by one. */
export class RecentLeast {
  readonly #slotMs: number;
  readonly #least = new Float64Array(SLOTS).fill(Number.POSITIVE_INFINITY);
  /** Number of the newest slot since the clock began. */
  #newest = 0;

  /** Values are remembered for between four fifths of `memoryMs` and all of it. */
  constructor(memoryMs: number) {
    this.#slotMs = memoryMs / SLOTS;
  }

  /** Notes a value and returns the least of late. */
  note(value: number, nowMs: Millis): number {
    const slot = Math.max(this.#newest, Math.floor(nowMs / this.#slotMs));
    for (let gone = Math.max(this.#newest + 1, slot - SLOTS + 1); gone <= slot; gone++) {
      this.#least[gone % SLOTS] = Number.POSITIVE_INFINITY;
    }
    this.#newest = slot;
    this.#least[slot % SLOTS] = Math.min(this.#least[slot % SLOTS]!, value);
    let least = value;
    for (let i = 0; i < SLOTS; i++) least = Math.min(least, this.#least[i]!);
    return least;
  }

  /** Forgets all that was noted before this value. */
  restart(value: number, nowMs: Millis): void {
    this.#least.fill(Number.POSITIVE_INFINITY);
    this.note(value, nowMs);
  }
}
