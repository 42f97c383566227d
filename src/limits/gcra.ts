import type { RateLimiter } from '../core/limits.ts';
import type { BucketId, Millis } from '../core/units.ts';

// Rounding in `elapsed * rate` may leave a bucket a hair short of the token it owes. Far above that error (1e-7 at the largest
// burst, 1e9) and far below a token, so it admits nobody early who counts in tokens.
const SLACK_TOKENS = 1e-6;

/**
 * Rate limits of this process by the generic cell rate algorithm in its leaky-bucket form: a bucket holds the tokens in use, which
 * drain at its rate, and a take fits while burst is not passed. Counting in tokens rather than in due times keeps bursts exact.
 * A bucket never configured admits nothing. A clock that steps back refills nothing until it has caught up.
 */
export class LocalRateLimiter implements RateLimiter {
  #tokensPerMs: Float64Array;
  #burst: Float64Array;
  /** Tokens in use at `#atMs`. */
  #used: Float64Array;
  #atMs: Float64Array;

  constructor(buckets: number) {
    this.#tokensPerMs = new Float64Array(buckets);
    this.#burst = new Float64Array(buckets);
    this.#used = new Float64Array(buckets);
    this.#atMs = new Float64Array(buckets);
  }

  /** Sets or changes a bucket; what is in use stays in use. A rate of 0 closes it. Not for the hot path. */
  configure(bucket: BucketId, tokensPerSecond: number, burst: number): void {
    if (!Number.isSafeInteger(bucket) || bucket < 0) throw new RangeError(`bucket id ${bucket}: expected a whole number from 0`);
    if (!Number.isFinite(tokensPerSecond) || tokensPerSecond < 0 || !Number.isFinite(burst) || burst < 0) {
      throw new RangeError(
        `bucket ${bucket}: rate ${tokensPerSecond} and burst ${burst}, expected finite numbers from 0 (a rate of 0 admits none)`,
      );
    }
    if (bucket >= this.#used.length) this.#grow(bucket + 1);
    this.#tokensPerMs[bucket] = tokensPerSecond / 1000;
    this.#burst[bucket] = burst;
    // Without this a much smaller burst would keep the tenant out for as long as the old one takes to drain.
    if (this.#used[bucket]! > burst) this.#used[bucket] = burst;
  }

  /** @hot The buckets of one call are distinct. */
  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): number {
    let waitMs = 0;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i]!;
      // Negated, so that a bucket that is not there and a count that is no number are refused as well.
      if (!(this.#tokensPerMs[bucket]! > 0 && tokens >= 0 && tokens <= this.#burst[bucket]!)) return Number.POSITIVE_INFINITY;
      const over = this.#level(bucket, nowMs) + tokens - this.#burst[bucket]!;
      if (over > SLACK_TOKENS) {
        // A bucket whose clock lies ahead starts to drain only when that moment has come.
        const aheadMs = Math.max(0, this.#atMs[bucket]! - nowMs);
        waitMs = Math.max(waitMs, aheadMs + (over - SLACK_TOKENS) / this.#tokensPerMs[bucket]!);
      }
    }
    if (waitMs > 0) return Math.ceil(waitMs);
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i]!;
      this.#used[bucket] = this.#level(bucket, nowMs) + tokens;
      if (nowMs > this.#atMs[bucket]!) this.#atMs[bucket] = nowMs;
    }
    return 0;
  }

  /** @hot */
  remaining(bucket: BucketId, nowMs: Millis): number {
    if (!(this.#tokensPerMs[bucket]! > 0)) return 0;
    return Math.max(0, Math.floor(this.#burst[bucket]! - this.#level(bucket, nowMs) + SLACK_TOKENS));
  }

  /** @hot 0 for a closed bucket: it holds nothing, so it is as full as it gets, and header fields take no Infinity. */
  fullInMs(bucket: BucketId, nowMs: Millis): number {
    if (!(this.#tokensPerMs[bucket]! > 0)) return 0;
    const level = this.#level(bucket, nowMs);
    if (level <= SLACK_TOKENS) return 0;
    return Math.ceil(Math.max(0, this.#atMs[bucket]! - nowMs) + (level - SLACK_TOKENS) / this.#tokensPerMs[bucket]!);
  }

  /** Tokens in use now. */
  #level(bucket: BucketId, nowMs: Millis): number {
    const elapsedMs = nowMs - this.#atMs[bucket]!;
    if (elapsedMs <= 0) return this.#used[bucket]!;
    return Math.max(0, this.#used[bucket]! - elapsedMs * this.#tokensPerMs[bucket]!);
  }

  #grow(buckets: number): void {
    const size = Math.max(buckets, this.#used.length * 2);
    this.#tokensPerMs = enlarged(this.#tokensPerMs, size);
    this.#burst = enlarged(this.#burst, size);
    this.#used = enlarged(this.#used, size);
    this.#atMs = enlarged(this.#atMs, size);
  }
}

function enlarged(column: Float64Array, size: number): Float64Array {
  const larger = new Float64Array(size);
  larger.set(column);
  return larger;
}
