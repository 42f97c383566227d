import type { Millis } from '../core/units.ts';

/** A window has lasted so long, and as many calls have ended as were in flight at once, so that it shows its own limit; or it is LATE. */
const LEAST_MS = 200;
const LEAST_CALLS = 20;
const LATE_MS = 1_000;

/** What the calls were like that ended in a while: sums alone. */
export class CallWindow {
  #sinceMs = -1;
  #sumInFlight = 0;
  /** Latencies are averaged as logarithms: one slow kind of request shifts them little. */
  #sumLogUs = 0;
  answers = 0;
  /** Calls that nobody waited for any more. */
  cuts = 0;
  overloads = 0;
  mostInFlight = 0;

  /** @hot */
  answered(latencyUs: number): void {
    this.answers++;
    this.#sumLogUs += Math.log(Math.max(1, latencyUs));
  }

  /** @hot */
  cut(waitedUs: number): void {
    this.cuts++;
    this.#sumLogUs += Math.log(Math.max(1, waitedUs));
  }

  /** Notes who was in flight when a call ended, and says whether the window is over. @hot */
  ended(inFlight: number, nowMs: Millis): boolean {
    if (this.#sinceMs < 0) this.#sinceMs = nowMs;
    this.#sumInFlight += inFlight;
    if (inFlight > this.mostInFlight) this.mostInFlight = inFlight;
    const lastedMs = nowMs - this.#sinceMs;
    return lastedMs >= LATE_MS || (lastedMs >= LEAST_MS && this.calls >= Math.max(LEAST_CALLS, this.mostInFlight));
  }

  get calls(): number {
    return this.answers + this.cuts + this.overloads;
  }

  /** 0 where there is none. */
  get latencyUs(): number {
    const timed = this.answers + this.cuts;
    return timed === 0 ? 0 : Math.exp(this.#sumLogUs / timed);
  }

  get meanInFlight(): number {
    return this.#sumInFlight / this.calls;
  }

  /** Answers a millisecond. */
  rate(nowMs: Millis): number {
    return this.answers / Math.max(1, nowMs - this.#sinceMs);
  }

  begin(nowMs: Millis): void {
    this.#sinceMs = nowMs;
    this.#sumInFlight = 0;
    this.#sumLogUs = 0;
    this.answers = 0;
    this.cuts = 0;
    this.overloads = 0;
    this.mostInFlight = 0;
  }
}
