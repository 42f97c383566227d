import type { Millis } from '../core/units.ts';
import { CallWindow } from './call-window.ts';
import { LimitTrial } from './limit-trial.ts';

export interface AdaptiveLimitOptions {
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly initialLimit: number;
}

/** Latency this much above the base is a queue; below it is what batches and mixed requests do. */
const TOLERANCE = 1.4;
/** Shares of the limit: below UNUSED latency is not our doing, from USED on there may be room for more, and FULL is where trials are worth it. */
const UNUSED = 0.5;
const USED = 0.8;
const FULL = 0.8;
/** How much of the way to where latency points the limit goes in one window, and the least share that it points at. */
const PACE = 0.3;
const LEAST_GRADIENT = 0.3;
/** The base follows what is clearly lower at once, what is lower soon, and what is higher slowly and only while latency is not our doing. */
const CLEARLY_LOWER = 0.7;
const BASE_DOWN = 0.3;
const BASE_UP = 0.02;
/** Of the first answers alone: later ones may have waited for each other already. */
const FIRST_ANSWERS = 30;
/** Share of the calls in a window that has to fail by overload before it counts. */
const OVERLOAD_SHARE = 0.02;
const OVERLOAD_CUT = 0.8;
/** With more calls cut than this for an answer, fewer answers say nothing about the backend. */
const CUT_SHARE = 0.1;
/** A limit that has come down to this share shows whether it was a queue that it took away; latency that rises by this much is still on its way. */
const STEP_DOWN = 0.75;
const RISING = 1.25;
/** A limit that moves by less in a window has settled. */
const SETTLED = 0.05;
/** So near to the least a trial goes up. */
const NEAR_LEAST = 1.1;
/** What a trial that has found a queue takes off the base. */
const BASE_CUT = 0.8;

/**
 * How many calls a backend takes at the same time, found out from its latency. While the limit is used it goes part of the way, window by
 * window, to where latency would be TOLERANCE times its base, and a few calls beyond: near that point it moves hardly at all.
 *
 * The base is latency without a queue. A queue and a backend that has become slower both raise latency; what tells them apart is what a lower
 * limit does: a queue gets shorter and there are as many answers, a slower backend takes as long and there are fewer.
 */
export class AdaptiveLimit {
  readonly #o: AdaptiveLimitOptions;
  readonly #window = new CallWindow();
  readonly #trial = new LimitTrial();
  #limit: number;
  /** In the window before. */
  #limitBefore: number;
  /** 0 while it is not known. */
  #baseUs = 0;
  /** Where latency began to be too high; 0 while it is not. */
  #anchorLimit = 0;
  #anchorRate = 0;
  #anchorUs = 0;

  constructor(options: AdaptiveLimitOptions) {
    const { minLimit, maxLimit, initialLimit } = options;
    if (!(minLimit >= 1 && minLimit <= initialLimit && initialLimit <= maxLimit)) {
      throw new RangeError(`limits ${minLimit}, ${initialLimit}, ${maxLimit}: expected 1 <= least <= first <= most`);
    }
    this.#o = options;
    this.#limit = initialLimit;
    this.#limitBefore = initialLimit;
  }

  /** Calls that may be in flight now. @hot */
  get limit(): number {
    return Math.floor(this.#trial.isOn ? this.#bounded(this.#trial.limit) : this.#limit);
  }

  /** A call ended well; `inFlight` counts it among the others. @hot */
  succeeded(latencyUs: number, inFlight: number, nowMs: Millis): void {
    this.#window.answered(latencyUs);
    this.#ended(inFlight, nowMs);
  }

  /** Nobody waited for a call any more: it would have taken longer than this. Less than the base says nothing. @hot */
  cut(waitedUs: number, inFlight: number, nowMs: Millis): void {
    if (waitedUs < this.#baseUs) return;
    this.#window.cut(waitedUs);
    this.#ended(inFlight, nowMs);
  }

  /** A call ended because the backend has too much to do: it timed out, or was refused as busy. @hot */
  overloaded(inFlight: number, nowMs: Millis): void {
    this.#window.overloads++;
    this.#ended(inFlight, nowMs);
  }

  #ended(inFlight: number, nowMs: Millis): void {
    const isOver = this.#window.ended(inFlight, nowMs);
    if (isOver || (this.#baseUs === 0 && this.#window.answers >= FIRST_ANSWERS)) this.#judge(nowMs);
  }

  #judge(nowMs: Millis): void {
    const window = this.#window;
    const before = this.#limit;
    if (this.#isOverloaded()) {
      this.#resize(before * OVERLOAD_CUT);
      this.#anchorLimit = 0;
      this.#trial.putOff(nowMs);
    } else if (window.answers > 0) {
      const rate = window.rate(nowMs);
      if (this.#trial.isFelt) this.#learn(rate, nowMs);
      else this.#follow(rate, nowMs);
    }
    this.#limitBefore = before;
    window.begin(nowMs);
  }

  /** A few callers in a hurry are no sign; that nobody was answered is. */
  #isOverloaded(): boolean {
    const { overloads, calls, answers, mostInFlight } = this.#window;
    if (overloads > 0 && overloads >= calls * OVERLOAD_SHARE) return true;
    return answers === 0 && mostInFlight >= this.limit * UNUSED;
  }

  #learn(rate: number, nowMs: Millis): void {
    const { latencyUs } = this.#window;
    const found = this.#trial.judge(rate, latencyUs, this.#baseUs, nowMs);
    if (found === 'queue') this.#baseUs *= BASE_CUT;
    else if (found === 'room') this.#baseUs = latencyUs;
  }

  #follow(rate: number, nowMs: Millis): void {
    const { latencyUs, mostInFlight, meanInFlight } = this.#window;
    const limit = this.limit;
    const isFirst = this.#baseUs === 0;
    this.#noteBase(latencyUs, meanInFlight < limit * UNUSED);
    if (isFirst || meanInFlight < limit * FULL) this.#trial.putOff(nowMs);
    if (this.#trial.isDue(nowMs) && Math.abs(this.#limit - this.#limitBefore) <= this.#limit * SETTLED) {
      const isUp = this.#limit <= this.#o.minLimit * NEAR_LEAST;
      this.#trial.begin(isUp, Math.min(this.#limit, mostInFlight), rate, latencyUs);
      return;
    }
    const isUsed = mostInFlight >= limit * USED;
    const excess = latencyUs / (TOLERANCE * this.#baseUs);
    if (excess <= 1) {
      this.#anchorLimit = 0;
      if (isUsed) this.#grow(latencyUs);
    } else if (!this.#isSlower(rate, isUsed, nowMs) && meanInFlight >= limit * UNUSED) {
      const gradient = Math.max(LEAST_GRADIENT, 1 / excess);
      const target = this.#limit * (1 - PACE * (1 - gradient)) + (PACE / 2) * Math.sqrt(this.#limit);
      this.#resize(isUsed ? target : Math.min(target, this.#limit));
    }
  }

  #noteBase(latencyUs: number, isUnused: boolean): void {
    const base = this.#baseUs;
    if (base === 0 || latencyUs < base * CLEARLY_LOWER) this.#baseUs = latencyUs;
    else if (latencyUs < base) this.#baseUs += BASE_DOWN * (latencyUs - base);
    else if (isUnused && this.#window.cuts === 0) this.#baseUs += BASE_UP * (latencyUs - base);
  }

  /** At full pace near the base, and where the queue begins no faster than it shrinks there. */
  #grow(latencyUs: number): void {
    const quiet = Math.min(1, (TOLERANCE - latencyUs / this.#baseUs) / (TOLERANCE - 1));
    this.#resize(this.#limit + Math.sqrt(this.#limit) * (PACE / 2 + (1 - PACE / 2) * quiet));
  }

  /** Fewer calls have brought fewer answers and no lower latency: that was no queue, and latency as it is now is the base. */
  #isSlower(rate: number, isUsed: boolean, nowMs: Millis): boolean {
    const { latencyUs, cuts, answers } = this.#window;
    // While latency still rises nothing can be told.
    if (this.#anchorLimit > 0 && latencyUs <= this.#anchorUs * RISING) {
      const ratio = this.#limitBefore / this.#anchorLimit;
      if (ratio > STEP_DOWN) return false;
      const half = (1 + ratio) / 2;
      const isFewer = rate < this.#anchorRate * half && latencyUs > this.#anchorUs * half;
      if (isUsed && isFewer && cuts <= answers * CUT_SHARE) {
        this.#baseUs = latencyUs;
        this.#anchorLimit = 0;
        this.#trial.putOff(nowMs);
        return true;
      }
    }
    this.#anchorLimit = this.#limit;
    this.#anchorRate = rate;
    this.#anchorUs = latencyUs;
    return false;
  }

  #resize(limit: number): void {
    this.#limit = this.#bounded(limit);
  }

  #bounded(limit: number): number {
    return Math.min(this.#o.maxLimit, Math.max(this.#o.minLimit, limit));
  }
}
