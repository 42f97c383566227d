import type { Millis } from '../core/units.ts';

export interface RetryBudgetOptions {
  /** Retries allowed for each request of the window; 0.1 is one in ten. */
  readonly share: number;
  /** Retries allowed besides, so that a service with little traffic may retry at all. */
  readonly perSecond: number;
}

const SLOT_MS = 1_000;
const SLOTS = 10;

/**
 * How much may be tried again: a share of the requests of the last ten seconds and a few a second. When a backend fails as a whole, its
 * load grows by that share and no more.
 */
export class RetryBudget {
  readonly #o: RetryBudgetOptions;
  readonly #requests = new Uint32Array(SLOTS);
  readonly #retries = new Uint32Array(SLOTS);
  #newest = 0;
  #requestSum = 0;
  #retrySum = 0;

  constructor(options: RetryBudgetOptions) {
    if (!(options.share >= 0 && options.share <= 1 && options.perSecond >= 0)) {
      throw new RangeError(`share ${options.share} and ${options.perSecond} a second: expected 0 to 1, and a number from 0`);
    }
    this.#o = options;
  }

  /** A request was begun. @hot */
  requested(nowMs: Millis): void {
    this.#requests[this.#slot(nowMs)]!++;
    this.#requestSum++;
  }

  /** Whether one more retry is within the budget; if so it is counted. @hot */
  take(nowMs: Millis): boolean {
    const slot = this.#slot(nowMs);
    if (this.#retrySum + 1 > this.#requestSum * this.#o.share + (this.#o.perSecond * SLOT_MS * SLOTS) / 1_000) return false;
    this.#retries[slot]!++;
    this.#retrySum++;
    return true;
  }

  /** Forgets what is older than the window. A clock that steps back counts into the newest slot. */
  #slot(nowMs: Millis): number {
    const slot = Math.max(this.#newest, Math.floor(nowMs / SLOT_MS));
    if (slot !== this.#newest) {
      for (let gone = Math.max(this.#newest + 1, slot - SLOTS + 1); gone <= slot; gone++) this.#forget(gone % SLOTS);
      this.#newest = slot;
    }
    return slot % SLOTS;
  }

  #forget(slot: number): void {
    this.#requestSum -= this.#requests[slot]!;
    this.#retrySum -= this.#retries[slot]!;
    this.#requests[slot] = 0;
    this.#retries[slot] = 0;
  }
}
