import type { BucketId, CapId, Millis } from './units.ts';
import type { Maybe } from './verdict.ts';

/** Something held that is given back exactly once. */
export interface Permit {
  release(): void;
}

/** Rate limits by bucket. A promise only where those who keep the count for all processes have to be asked. */
export interface RateLimiter {
  /**
   * All buckets or none. 0 when admitted, else milliseconds to wait, or Infinity when it can never fit; null when nobody could say in
   * time.
   */
  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): Maybe<number | null>;
  /** Whole tokens that could be taken now, as far as this process knows. */
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

/**
 * Where a worker process borrows tokens and places, so that limits hold over all workers together. All that goes in and out is plain
 * data. Messages of one worker arrive in the order they were sent. A promise may reject, or stay open: nobody waits for it for long.
 */
export interface LeaseOffice {
  askTokens(ask: TokenAsk): Promise<TokenGrant>;
  reportTokens(report: TokenReport): void;
  askPlaces(ask: PlaceAsk): Promise<PlaceGrant>;
  /** Places given back; also the answer to a recall, with 0 when there are none to give. */
  givePlaces(cap: CapId, places: number): void;
  /** Who hears that others want up to so many places of `cap`. Answers each with `givePlaces`, at once. */
  onRecall(listener: (cap: CapId, places: number) => void): void;
}

/** A worker's wish for tokens of one bucket. */
export interface TokenAsk {
  readonly bucket: BucketId;
  /** Spent at once when they are there, those that the worker holds included; 0 only asks ahead. */
  readonly tokens: number;
  /** What the first in line needs: fewer are of no use. */
  readonly least: number;
  /** What the worker holds unspent. All else that it was ever granted is spent, so a lost answer wastes tokens and never adds any. */
  readonly held: number;
}

export interface TokenGrant {
  /** Tokens more for the worker to hold. */
  readonly granted: number;
  /** 0 when `least` is there, else milliseconds until it is; -1 when it never can be. */
  readonly retryInMs: number;
  /** What is left with the ledger; need not be whole. */
  readonly remaining: number;
}

/** What a worker holds unspent after it has given `back` some. */
export interface TokenReport {
  readonly bucket: BucketId;
  readonly held: number;
  readonly back: number;
}

/** A worker's wish for places of one cap; 0 needed only asks ahead. */
export interface PlaceAsk {
  readonly cap: CapId;
  readonly needed: number;
}

export interface PlaceGrant {
  readonly granted: number;
  /** Milliseconds in which asking again is of no use; 0 when something was granted. */
  readonly retryInMs: number;
}
