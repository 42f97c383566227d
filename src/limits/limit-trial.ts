import type { Millis } from '../core/units.ts';

const FIRST_MS = 3_000;
const LONGEST_MS = 48_000;
const AGAIN_MS = 1_000;
/** The first window of a trial still has calls in it from before, and the first after it calls of the trial: the one between is judged. */
const WINDOWS = 3;
const AFTER = 1;
const DOWN = 0.6;
const UP = 1.5;
/** Answers a second against those before: as many, or clearly more. */
const SAME = 0.95;
const MORE = 1.25;
/** Latency against the base, and against that before. */
const BELOW = 0.95;
const ABOVE = 1.2;

/**
 * Another limit, tried for a moment where the usual one has been full for seconds: it shows what latency is without the queue that has
 * always been there. First after three seconds, then half as often each time that nothing is learnt.
 */
export class LimitTrial {
  #dueMs = 0;
  #everyMs = FIRST_MS;
  #windows = 0;
  #isUp = false;
  #rateBefore = 0;
  #latencyBefore = 0;
  /** What is tried. */
  limit = 0;

  /** Its limit holds. */
  get isOn(): boolean {
    return this.#windows > AFTER;
  }

  /** Latency is not that of the usual limit. */
  get isFelt(): boolean {
    return this.#windows > 0;
  }

  isDue(nowMs: Millis): boolean {
    return nowMs >= this.#dueMs;
  }

  /** Not now, and all that was learnt may be different then. */
  putOff(nowMs: Millis): void {
    this.#windows = 0;
    this.#everyMs = FIRST_MS;
    this.#dueMs = nowMs + FIRST_MS;
  }

  begin(isUp: boolean, limit: number, rate: number, latencyUs: number): void {
    this.#windows = WINDOWS;
    this.#isUp = isUp;
    this.limit = limit * (isUp ? UP : DOWN);
    this.#rateBefore = rate;
    this.#latencyBefore = latencyUs;
  }

  /** A window in which it is felt is over. Fewer calls with as many answers were a queue; more calls with more answers were none. */
  judge(rate: number, latencyUs: number, baseUs: number, nowMs: Millis): 'nothing' | 'queue' | 'room' {
    this.#windows--;
    if (this.#windows !== AFTER) return 'nothing';
    const isRoom = this.#isUp && rate >= this.#rateBefore * MORE && latencyUs <= this.#latencyBefore * ABOVE;
    const isQueue = !this.#isUp && rate >= this.#rateBefore * SAME && latencyUs <= baseUs * BELOW;
    this.#everyMs = isQueue || isRoom ? AGAIN_MS : Math.min(LONGEST_MS, Math.max(FIRST_MS, this.#everyMs * 2));
    this.#dueMs = nowMs + this.#everyMs;
    if (isRoom) return 'room';
    return isQueue ? 'queue' : 'nothing';
  }
}
