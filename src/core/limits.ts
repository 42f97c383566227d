import type { BucketId, Millis } from './units.ts';

/** Something held that is given back exactly once. */
export interface Permit {
  release(): void;
}

/** Rate limits by bucket. Synchronous: sharing between processes happens behind it. */
export interface RateLimiter {
  /** All buckets or none. 0 when admitted, else milliseconds to wait, or Infinity when it can never fit. */
  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): number;
  /** Whole tokens that could be taken now. */
  remaining(bucket: BucketId, nowMs: Millis): number;
  /** Milliseconds until the bucket is full again. */
  fullInMs(bucket: BucketId, nowMs: Millis): number;
}

/** One budget for the bytes of all bodies in flight in this process. */
export interface ByteBudget {
  /** False when there is no room for this many more. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  readonly usedBytes: number;
  readonly capacityBytes: number;
}
