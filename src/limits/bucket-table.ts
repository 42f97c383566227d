import type { BucketId, Millis } from '../core/units.ts';

// Rounding in `elapsed * rate` may leave a bucket a hair short of the token it owes. Far above that error (1e-7 at the largest
// burst, 1e9) and far below a token, so it admits nobody early who counts in tokens.
const SLACK_TOKENS = 1e-6;

/**
 * Leaky buckets, one a row: a bucket holds the tokens in use, which drain at its rate. Counting in tokens rather than in due times keeps
 * bursts exact. A bucket never configured fits nothing. A clock that steps back drains nothing until it has caught up.
 */
export class BucketTable {
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

  /** Whether the bucket is open and so many tokens fit when it is empty. @hot */
  fits(bucket: BucketId, tokens: number): boolean {
    // A bucket that is not there and a count that is no number are refused as well.
    return this.#tokensPerMs[bucket]! > 0 && tokens >= 0 && tokens <= this.#burst[bucket]!;
  }

  /** Milliseconds until so many tokens more have room; 0 when they have it now. @hot */
  waitMs(bucket: BucketId, tokens: number, nowMs: Millis): number {
    const over = this.level(bucket, nowMs) + tokens - this.#burst[bucket]!;
    if (over <= SLACK_TOKENS) return 0;
    return this.#aheadMs(bucket, nowMs) + (over - SLACK_TOKENS) / this.#tokensPerMs[bucket]!;
  }

  /** Puts tokens in use, or with a negative count takes them out again. @hot */
  add(bucket: BucketId, tokens: number, nowMs: Millis): void {
    this.set(bucket, this.level(bucket, nowMs) + tokens, nowMs);
  }

  /** @hot */
  set(bucket: BucketId, level: number, nowMs: Millis): void {
    this.#used[bucket] = Math.max(0, level);
    if (nowMs > this.#atMs[bucket]!) this.#atMs[bucket] = nowMs;
  }

  /** Tokens in use now. @hot */
  level(bucket: BucketId, nowMs: Millis): number {
    const elapsedMs = nowMs - this.#atMs[bucket]!;
    if (elapsedMs <= 0) return this.#used[bucket]!;
    return Math.max(0, this.#used[bucket]! - elapsedMs * this.#tokensPerMs[bucket]!);
  }

  /** Room for tokens; 0 in a closed bucket, and negative where more is in use than a new burst allows. @hot */
  room(bucket: BucketId, nowMs: Millis): number {
    if (!(this.#tokensPerMs[bucket]! > 0)) return 0;
    return this.#burst[bucket]! - this.level(bucket, nowMs) + SLACK_TOKENS;
  }

  /** Milliseconds until nothing is in use. 0 for a closed bucket: it is as empty as it gets, and header fields take no Infinity. @hot */
  emptyInMs(bucket: BucketId, nowMs: Millis): number {
    if (!(this.#tokensPerMs[bucket]! > 0)) return 0;
    const level = this.level(bucket, nowMs);
    if (level <= SLACK_TOKENS) return 0;
    return Math.ceil(this.#aheadMs(bucket, nowMs) + (level - SLACK_TOKENS) / this.#tokensPerMs[bucket]!);
  }

  burst(bucket: BucketId): number {
    return this.#burst[bucket] ?? 0;
  }

  tokensPerMs(bucket: BucketId): number {
    return this.#tokensPerMs[bucket] ?? 0;
  }

  /** A bucket whose clock lies ahead starts to drain only when that moment has come. */
  #aheadMs(bucket: BucketId, nowMs: Millis): number {
    return Math.max(0, this.#atMs[bucket]! - nowMs);
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
