/**
 * How often the other side may send frames that cost us work and bring nothing: resets, pings, settings, empty frames (RFC 9113, 10.5). A
 * bucket of `burst` that fills with `perSecond`.
 */
export class FrameRate {
  readonly #msEach: number;
  readonly #burstMs: number;
  /** When all that was let in would have been due at an even pace. */
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burst: number) {
    this.#msEach = 1_000 / perSecond;
    this.#burstMs = burst * this.#msEach;
  }

  /** One more came; false when it was one too many. @hot */
  take(nowMs: number): boolean {
    const dueMs = Math.max(this.#dueMs, nowMs) + this.#msEach;
    if (dueMs - nowMs > this.#burstMs) return false;
    this.#dueMs = dueMs;
    return true;
  }

  /** One that came counts no more; the bucket is never fuller than full, since `take` reckons from now at the least. @hot */
  giveBack(): void {
    this.#dueMs -= this.#msEach;
  }
}
