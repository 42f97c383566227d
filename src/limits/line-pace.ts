import type { Millis } from '../core/units.ts';

/** Weight of a new gap among the last ones: batches that end together and slow single calls both average out over so many. */
const GAPS = 32;
/** Nothing is foretold from fewer. */
const FEWEST = 8;
/** A backend may have become another since. */
const FORGOTTEN_MS = 5_000;
/** A full variant that has been so for so long has more than a burst before it. */
const STANDING_MS = 100;
/** A line that stands only has to bridge the gaps between calls; one that waits longer has the same turns later. */
const SHORT_MS = 50;
const SERVICE_SHARE = 0.75;

/** How long somebody who would stand in line has to wait, and may. */
export interface Prospect {
  /** As `waitMs` foretells it. */
  readonly waitMs: number;
  /** Until their deadline. */
  readonly leftMs: number;
  /** Nobody waits longer. */
  readonly maxAgeMs: number;
  readonly inFlight: number;
}

/**
 * How fast places become free while all are taken, and so whether a turn will come in time: who would only wait to be refused hears so at once.
 */
export class LinePace {
  #meanMs = 0;
  #gaps = 0;
  #lastMs = 0;
  #standingSinceMs = 0;

  /** The last place was taken. @hot */
  full(nowMs: Millis): void {
    if (nowMs - this.#lastMs >= FORGOTTEN_MS) this.#gaps = 0;
    this.#lastMs = nowMs;
  }

  /** A place became free of a variant that was full. @hot */
  moved(nowMs: Millis): void {
    if (this.#gaps < GAPS) this.#gaps++;
    this.#meanMs += (nowMs - this.#lastMs - this.#meanMs) / this.#gaps;
    this.#lastMs = nowMs;
  }

  /** Somebody came first in a line that was empty. */
  lined(nowMs: Millis): void {
    this.#standingSinceMs = nowMs;
  }

  /** Milliseconds until the turn of somebody with so many ahead; 0 while it is not known. */
  waitMs(ahead: number, nowMs: Millis): number {
    return (ahead + 1) * this.#gapMs(nowMs);
  }

  /** While nothing can be foretold the answer is yes. */
  isInTime({ waitMs, leftMs, maxAgeMs, inFlight }: Prospect, nowMs: Millis): boolean {
    if (waitMs === 0) return true;
    if (waitMs >= maxAgeMs) return false;
    // By Little's law. Of mixed requests this one may be a short one: three quarters of its time at most are kept for it.
    const serviceMs = inFlight * this.#gapMs(nowMs);
    if (waitMs > leftMs - Math.min(serviceMs, leftMs * SERVICE_SHARE)) return false;
    return nowMs - this.#standingSinceMs < STANDING_MS || waitMs <= Math.max(SHORT_MS, serviceMs);
  }

  /** The gap that is open now counts as if it ended here: a backend that has stopped is noticed without an answer. */
  #gapMs(nowMs: Millis): number {
    if (this.#gaps < FEWEST) return 0;
    const openMs = nowMs - this.#lastMs;
    return openMs <= this.#meanMs ? this.#meanMs : this.#meanMs + (openMs - this.#meanMs) / GAPS;
  }
}
