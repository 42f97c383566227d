import type { Prediction } from './inference.ts';
import type { Millis } from './units.ts';

/** A guarded answer in bytes of its own (a view would pin the slab it looks into), without the caller's id. */
export interface CacheEntry {
  readonly prediction: Prediction;
  readonly model: string;
  /** Name of the variant that really answered. */
  readonly variant: string;
  readonly sizeBytes: number;
  readonly expiresMs: Millis;
}

/** Bounded by bytes. */
export interface CacheStore {
  /** Null is a miss; an expired entry is one. */
  get(key: string, nowMs: Millis): CacheEntry | null;
  /** Never fails a request: an entry that does not fit is counted and dropped. */
  set(key: string, entry: CacheEntry): void;
  /** Entries dropped; an empty model purges all. */
  purge(model: string): number;
  /** Largest entry that is kept. */
  readonly maxEntryBytes: number;
  readonly usedBytes: number;
  readonly entries: number;
}

/** How the cache took part in a request; the value of `x-sluice-cache`. */
export type CacheResult = 'hit' | 'miss' | 'shared' | 'bypass';
