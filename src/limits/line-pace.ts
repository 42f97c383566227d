import type { Millis } from '../core/units.ts';

/** Turns are counted while somebody stands in line, for so long and until each call in flight has made room for one: calls that end together are one lump. */
const WINDOW_MS = 100;
const WINDOW_TURNS = 8;
/** An empty line to which nobody comes for so long, and for as long as a call takes, is over; the next is another. */
const REST_MS = 100;
/** More than one in so many turns refused, and not a single one: more come than can be served. */
const EXCESS = 20;
const FEW = 2;
/** How fast room comes back that was taken away. */
const REGROWTH = 1.25;
/** Of what is left to somebody, at most this share is kept for their call: of mixed requests theirs may be a short one. */
const SERVICE_SHARE = 0.75;

/**
 * How fast the turns of a line come, and so who would wait in vain, and how long the line may get. Nothing is known before a line has stood
 * for two windows: a burst never is refused because the first calls of the day were slow. Of the last two windows the faster one counts.
 */
export class LinePace {
  readonly #maxEntries: number;
  #room: number;
  /** Turns a millisecond; 0 while nothing is known. */
  #perMs = 0;
  #perMsBefore = 0;
  #inFlight = 1;
  // the window
  #stoodMs = 0;
  #turns = 0;
  #refusals = 0;
  /** A line that got empty is not one that more come to than can be served, whatever was refused meanwhile. */
  #emptied = false;
  /** Since when time counts for the next turn. */
  #markMs = 0;
  #lastTurnMs = Number.NEGATIVE_INFINITY;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
    this.#room = maxEntries;
  }

  /** How many may stand in line. */
  get room(): number {
    return this.#room;
  }

  /** Somebody comes to a line of this length while so many calls are in flight. */
  comes(length: number, inFlight: number, nowMs: Millis): void {
    this.#inFlight = inFlight;
    if (length > 0) return;
    this.#markMs = nowMs;
    const serviceMs = this.#perMs === 0 ? 0 : inFlight / this.#perMs;
    if (nowMs - this.#lastTurnMs < Math.max(REST_MS, serviceMs)) return;
    this.#room = this.#maxEntries;
    this.#perMs = 0;
    this.#perMsBefore = 0;
    this.#lastTurnMs = nowMs;
    this.#begin();
  }

  /** Whether the answer would come too late for somebody with so many before them. A call takes as long as by Little's law. */
  isInVain(ahead: number, leftMs: number, maxAgeMs: number): boolean {
    if (this.#perMs === 0) return false;
    const waitMs = (ahead + 1) / this.#perMs;
    return waitMs > maxAgeMs || waitMs > leftMs - Math.min(this.#inFlight / this.#perMs, leftMs * SERVICE_SHARE);
  }

  refused(): void {
    this.#refusals++;
  }

  /** Somebody has had their turn, and so many still stand in line. */
  turned(length: number, nowMs: Millis): void {
    this.#turns++;
    if (length === 0) this.#emptied = true;
    this.#stoodMs += nowMs - this.#markMs;
    this.#markMs = nowMs;
    this.#lastTurnMs = nowMs;
    if (this.#stoodMs < WINDOW_MS || this.#turns < Math.max(WINDOW_TURNS, this.#inFlight)) return;
    const isExcess = this.#perMs > 0 && this.#refusals >= FEW && this.#refusals * EXCESS > this.#turns;
    if (isExcess && !this.#emptied) this.#shrink(length);
    else this.#room = Math.min(this.#maxEntries, Math.ceil(this.#room * REGROWTH));
    const perMs = this.#turns / this.#stoodMs;
    this.#perMs = this.#perMsBefore === 0 ? 0 : Math.max(this.#perMsBefore, perMs);
    this.#perMsBefore = perMs;
    this.#begin();
  }

  /** A line that never gets empty has to bridge chance, which goes with the root, and no more: the same number would be served later. */
  #shrink(length: number): void {
    const least = 2 + Math.trunc(Math.sqrt(this.#inFlight));
    this.#room = Math.min(this.#maxEntries, Math.max(least, Math.trunc(Math.min(this.#room, length) / 2)));
  }

  #begin(): void {
    this.#stoodMs = 0;
    this.#turns = 0;
    this.#refusals = 0;
    this.#emptied = false;
  }
}
