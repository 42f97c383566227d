import type { RateLimiter } from '../core/limits.ts';
import type { BucketId, Millis } from '../core/units.ts';
import { BucketTable } from './bucket-table.ts';

/** Rate limits of this process by the generic cell rate algorithm: a take fits while no bucket passes its burst. */
export class LocalRateLimiter implements RateLimiter {
  readonly #buckets: BucketTable;

  constructor(buckets: number) {
    this.#buckets = new BucketTable(buckets);
  }

  /** Sets or changes a bucket; what is in use stays in use. A rate of 0 closes it. Not for the hot path. */
  configure(bucket: BucketId, tokensPerSecond: number, burst: number): void {
    this.#buckets.configure(bucket, tokensPerSecond, burst);
  }

  /** @hot The buckets of one call are distinct. */
  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): number {
    let waitMs = 0;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i]!;
      if (!this.#buckets.fits(bucket, tokens)) return Number.POSITIVE_INFINITY;
      waitMs = Math.max(waitMs, this.#buckets.waitMs(bucket, tokens, nowMs));
    }
    if (waitMs > 0) return Math.ceil(waitMs);
    for (let i = 0; i < buckets.length; i++) this.#buckets.add(buckets[i]!, tokens, nowMs);
    return 0;
  }

  /** @hot */
  remaining(bucket: BucketId, nowMs: Millis): number {
    return Math.max(0, Math.floor(this.#buckets.room(bucket, nowMs)));
  }

  /** @hot */
  fullInMs(bucket: BucketId, nowMs: Millis): number {
    return this.#buckets.emptyInMs(bucket, nowMs);
  }
}
