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
/** So many cut calls for each answer show that there is no room for more. One hasty caller alone does not make so many. */
const CUT_SHARE = 0.3;
const LEAST_GRADIENT = 0.2;
/** How long the least latency is remembered. */
const MEMORY_MS = 10_000;
/** Under unbroken full load the limit dips for two windows at times, so that the base is seen without a queue. */
const DIP_EVERY_MS = 4_000;
const DIP_WINDOWS = 2;
const DIP = 0.6;
/** A dip that takes the queue away and none of the throughput shows that so many calls are not needed, and the next comes soon. */
const SAME_RATE = 0.97;
const SHORTER = 0.8;
const NEXT_DIP_MS = 600;
/** A lower limit leaves so much of the throughput where latency is a queue of ours. */
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
  /** 0 while nothing was answered. */
  #baseUs = 0;
  // the window
  #sinceMs = 0;
  #samples = 0;
  #logUs = 0;
  #overloads = 0;
  #cuts = 0;
  #longCuts = 0;
  #cutLogUs = 0;
  #mostInFlight = 0;
  // dips
  #dipWindows = 0;
  #nextDipMs = DIP_EVERY_MS;
  #undippedUs = 0;
  #undippedRate = 0;
  // the last halving
  #anchorLimit = 0;
  #anchorUs = 0;
  #anchorRate = 0;

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

  /**
   * Nobody waited for a call any more: its latency is at least so long. Less than the base says nothing, so that callers in a hurry do not
   * make a backend look fast, nor slow.
   * @hot
   */
  cut(waitedUs: number, inFlight: number, nowMs: Millis): void {
    if (waitedUs < this.#baseUs) return;
    this.#cuts++;
    if (waitedUs >= TOLERANCE * this.#baseUs) this.#longCuts++;
    this.#cutLogUs += Math.log(Math.max(1, waitedUs));
    this.#ended(inFlight, nowMs);
  }

  #ended(inFlight: number, nowMs: Millis): void {
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= WINDOW_MS && (this.#samples + this.#overloads + this.#cuts >= WINDOW_SAMPLES || elapsedMs >= LATE_MS))
      this.#judge(nowMs);
  }

  #judge(nowMs: Millis): void {
    // Of whole calls: one in flight is all that a limit of 1.4 lets in.
    const usedShare = this.#mostInFlight / Math.floor(this.#limit);
    const answered = this.#samples + this.#cuts;
    const latencyUs = answered === 0 ? 0 : Math.exp((this.#logUs + this.#cutLogUs) / answered);
    // Of answers alone: where all are cut at their deadline, more calls only make more cuts.
    const rate = this.#samples / (nowMs - this.#sinceMs);
    if (this.#samples > 0) this.#baseUs = this.#base.note(Math.exp(this.#logUs / this.#samples), nowMs);
    if (this.#isOverloaded(usedShare)) this.#resize(OVERLOAD_CUT);
    else if (this.#dipWindows === 0 && this.#samples > 0 && usedShare >= UNUSED) this.#follow(latencyUs, rate, usedShare, nowMs);
    if (this.#dipWindows > 0) this.#dipped(latencyUs, rate, nowMs);
    else this.#mayDip(latencyUs, rate, usedShare, nowMs);
    this.#sinceMs = nowMs;
    this.#samples = 0;
    this.#logUs = 0;
    this.#overloads = 0;
    this.#cuts = 0;
    this.#longCuts = 0;
    this.#cutLogUs = 0;
    this.#mostInFlight = 0;
  }

  /** One caller in a hurry among many is no sign; that most calls are cut well above the base, or all of them, is. */
  #isOverloaded(usedShare: number): boolean {
    if (this.#overloads > 0 && this.#overloads >= (this.#samples + this.#cuts + this.#overloads) * OVERLOAD_SHARE) return true;
    return usedShare >= UNUSED && (this.#longCuts > this.#samples || (this.#samples === 0 && this.#cuts > 0));
  }

  #follow(latencyUs: number, rate: number, usedShare: number, nowMs: Millis): void {
    const baseUs = this.#baseUs;
    const isWaitedFor = this.#cuts <= this.#samples * CUT_SHARE;
    const gradient = Math.max(LEAST_GRADIENT, Math.min(1, (TOLERANCE * baseUs) / latencyUs));
    if (gradient === 1) {
      this.#anchorLimit = 0;
      if (isWaitedFor && usedShare >= USED) this.#grow(latencyUs < QUIET * baseUs ? 1 : 0.5);
      return;
    }
    if (this.#anchorLimit === 0) this.#anchor(latencyUs, rate);
    // Latency would mislead where the anchor was cast while the queue still grew. What was cut too far is taken back.
    if (isWaitedFor && usedShare >= USED && rate < this.#anchorRate * RELIEF) {
      this.#limit = this.#anchorLimit;
      this.#anchorLimit = 0;
      this.#base.restart(latencyUs, nowMs);
      return;
    }
    this.#resize((1 + gradient) / 2);
    if (this.#limit > this.#anchorLimit / 2 && this.#limit > this.#o.minLimit) return;
    // At the least limit nothing can be found out by a lower one.
    if (this.#limit <= this.#o.minLimit && latencyUs > this.#anchorUs * RELIEF) this.#base.restart(latencyUs, nowMs);
    this.#anchor(latencyUs, rate);
  }

  #grow(pace: number): void {
    this.#limit = Math.min(this.#o.maxLimit, this.#limit + Math.max(1, pace * Math.sqrt(this.#limit)));
  }

  #anchor(latencyUs: number, rate: number): void {
    this.#anchorLimit = this.#limit;
    this.#anchorUs = latencyUs;
    this.#anchorRate = rate;
  }

  #resize(factor: number): void {
    this.#limit = Math.max(this.#o.minLimit, this.#limit * factor);
  }

  #mayDip(latencyUs: number, rate: number, usedShare: number, nowMs: Millis): void {
    if (usedShare < DIP) this.#nextDipMs = nowMs + DIP_EVERY_MS;
    else if (nowMs >= this.#nextDipMs) {
      this.#dipWindows = DIP_WINDOWS;
      this.#undippedUs = latencyUs;
      this.#undippedRate = rate;
    }
  }

  #dipped(latencyUs: number, rate: number, nowMs: Millis): void {
    this.#dipWindows--;
    if (this.#dipWindows > 0) return;
    const wasQueue = latencyUs > 0 && latencyUs <= this.#undippedUs * SHORTER && rate >= this.#undippedRate * SAME_RATE;
    if (wasQueue) this.#resize(DIP);
    this.#nextDipMs = nowMs + (wasQueue ? NEXT_DIP_MS : DIP_EVERY_MS);
  }
}
