import type { Millis } from '../core/units.ts';
import { RecentLeast } from './recent-least.ts';

export interface AdaptiveLimitOptions {
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly initialLimit: number;
}

/** A window is judged when it has lasted so long and has so many samples, or at the latest when it is LATE. */
const WINDOW_MS = 200;
const WINDOW_SAMPLES = 20;
const LATE_MS = 2_000;
/** Latency this much above the base is a queue; below it is what batches and mixed requests do. */
const TOLERANCE = 1.5;
/** Below this there is hardly any queue, and the limit grows at full pace. */
const QUIET = 1.2;
/** Shares of the limit: below UNUSED latency is not our doing, from USED on there may be room for more. */
const UNUSED = 0.5;
const USED = 0.8;
/** Share of the calls in a window that has to fail by overload before it counts. */
const OVERLOAD_SHARE = 0.02;
const OVERLOAD_CUT = 0.8;
const LEAST_GRADIENT = 0.2;
/** How long the least latency is remembered. */
const MEMORY_MS = 10_000;
/** Under unbroken full load the limit dips for two windows at times, so that the base is seen without a queue. */
const DIP_EVERY_MS = 4_000;
const DIP_WINDOWS = 2;
const DIP = 0.6;
/** A halved limit has to take so much off the latency, or the latency is not a queue of ours. */
const RELIEF = 0.75;

/**
 * How many calls a backend takes at the same time, found out from its latency: additive growth while the limit is used and latency stands
 * near its base, multiplicative decrease when latency rises above it or the backend says that it is overloaded.
 *
 * The base is the least latency of late, in geometric means of windows: one slow kind of request shifts it little. What a window of
 * queueing and a backend that has become slower have in common is told apart by what a lower limit does: a queue grows shorter with it.
 */
export class AdaptiveLimit {
  readonly #o: AdaptiveLimitOptions;
  readonly #base = new RecentLeast(MEMORY_MS);
  #limit: number;
  // the window
  #sinceMs = 0;
  #samples = 0;
  #logUs = 0;
  #overloads = 0;
  #mostInFlight = 0;
  // dips
  #dipWindows = 0;
  #reliefMs = 0;
  // the last halving
  #anchorLimit = 0;
  #anchorUs = 0;

  constructor(options: AdaptiveLimitOptions) {
    const { minLimit, maxLimit, initialLimit } = options;
    if (!(minLimit >= 1 && minLimit <= initialLimit && initialLimit <= maxLimit)) {
      throw new RangeError(`limits ${minLimit}, ${initialLimit}, ${maxLimit}: expected 1 <= least <= first <= most`);
    }
    this.#o = options;
    this.#limit = initialLimit;
  }

  /** Calls that may be in flight now. @hot */
  get limit(): number {
    const limit = this.#dipWindows > 0 ? this.#limit * DIP : this.#limit;
    return Math.max(this.#o.minLimit, Math.floor(limit));
  }

  /** A call ended well; `inFlight` counts it among the others. @hot */
  succeeded(latencyUs: number, inFlight: number, nowMs: Millis): void {
    this.#samples++;
    this.#logUs += Math.log(Math.max(1, latencyUs));
    this.#ended(inFlight, nowMs);
  }

  /** A call ended because the backend has too much to do: it timed out, or was refused as busy. @hot */
  overloaded(inFlight: number, nowMs: Millis): void {
    this.#overloads++;
    this.#ended(inFlight, nowMs);
  }

  #ended(inFlight: number, nowMs: Millis): void {
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= WINDOW_MS && (this.#samples + this.#overloads >= WINDOW_SAMPLES || elapsedMs >= LATE_MS)) this.#judge(nowMs);
  }

  #judge(nowMs: Millis): void {
    const calls = this.#samples + this.#overloads;
    const latencyUs = this.#samples === 0 ? 0 : Math.exp(this.#logUs / this.#samples);
    const usedShare = this.#mostInFlight / this.#limit;
    const baseUs = latencyUs === 0 ? 0 : this.#base.note(latencyUs, nowMs);
    if (this.#overloads > 0 && this.#overloads >= calls * OVERLOAD_SHARE) this.#resize(OVERLOAD_CUT);
    else if (this.#dipWindows === 0 && latencyUs > 0 && usedShare >= UNUSED) this.#follow(latencyUs, baseUs, usedShare, nowMs);
    this.#dip(usedShare, nowMs);
    this.#sinceMs = nowMs;
    this.#samples = 0;
    this.#logUs = 0;
    this.#overloads = 0;
    this.#mostInFlight = 0;
  }

  #follow(latencyUs: number, baseUs: number, usedShare: number, nowMs: Millis): void {
    const gradient = Math.max(LEAST_GRADIENT, Math.min(1, (TOLERANCE * baseUs) / latencyUs));
    if (gradient === 1) {
      this.#anchorLimit = 0;
      if (usedShare >= USED) this.#grow(latencyUs < QUIET * baseUs ? 1 : 0.5);
      return;
    }
    if (this.#anchorLimit === 0) this.#anchor(latencyUs);
    this.#resize((1 + gradient) / 2);
    if (this.#limit > this.#anchorLimit / 2 && this.#limit > this.#o.minLimit) return;
    if (latencyUs > this.#anchorUs * RELIEF) this.#base.restart(latencyUs, nowMs);
    this.#anchor(latencyUs);
  }

  #grow(pace: number): void {
    this.#limit = Math.min(this.#o.maxLimit, this.#limit + Math.max(1, pace * Math.sqrt(this.#limit)));
  }

  #anchor(latencyUs: number): void {
    this.#anchorLimit = this.#limit;
    this.#anchorUs = latencyUs;
  }

  #resize(factor: number): void {
    this.#limit = Math.max(this.#o.minLimit, this.#limit * factor);
  }

  #dip(usedShare: number, nowMs: Millis): void {
    if (this.#dipWindows > 0) {
      this.#dipWindows--;
      this.#reliefMs = nowMs;
    } else if (usedShare < DIP) this.#reliefMs = nowMs;
    else if (nowMs - this.#reliefMs >= DIP_EVERY_MS) this.#dipWindows = DIP_WINDOWS;
  }
}
