import type { ConcurrencyCap } from '../core/tenant.ts';

/** Places for requests in flight: those of one tenant, or those of this process. */
export class LocalConcurrencyCap implements ConcurrencyCap {
  #inFlight = 0;
  #capacity: number;
  #overReleased = 0;

  constructor(capacity: number) {
    this.#capacity = checked(capacity);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Releases without a take. Not 0 means a bug in the caller; clamped, since a negative count would admit too many for ever. */
  get overReleased(): number {
    return this.#overReleased;
  }

  /** Requests already in flight keep their places when there are fewer. */
  resize(capacity: number): void {
    this.#capacity = checked(capacity);
  }

  /** @hot */
  take(): boolean {
    if (this.#inFlight >= this.#capacity) return false;
    this.#inFlight++;
    return true;
  }

  /** @hot */
  release(): void {
    if (this.#inFlight === 0) this.#overReleased++;
    else this.#inFlight--;
  }
}

function checked(capacity: number): number {
  if (Number.isSafeInteger(capacity) && capacity >= 0) return capacity;
  throw new RangeError(`capacity ${capacity}: expected a whole number of requests from 0`);
}
