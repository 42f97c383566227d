import type { ByteBudget } from '../core/limits.ts';

/** The budget of this process for the bytes of all bodies in flight. */
export class LocalByteBudget implements ByteBudget {
  readonly capacityBytes: number;
  #usedBytes = 0;
  #overGivenBytes = 0;

  constructor(capacityBytes: number) {
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0) {
      throw new RangeError(`capacity ${capacityBytes}: expected a whole number of bytes from 0`);
    }
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes given back that were never taken. Not 0 means a bug in the caller; clamped, or the budget would grow past its capacity. */
  get overGivenBytes(): number {
    return this.#overGivenBytes;
  }

  /** @hot */
  take(bytes: number): boolean {
    // Negated, so that a count that is no number is refused as well.
    if (!(bytes >= 0 && bytes <= this.capacityBytes - this.#usedBytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** @hot */
  give(bytes: number): void {
    if (bytes >= 0 && bytes <= this.#usedBytes) {
      this.#usedBytes -= bytes;
      return;
    }
    if (!(bytes >= 0)) return;
    this.#overGivenBytes += bytes - this.#usedBytes;
    this.#usedBytes = 0;
  }
}
