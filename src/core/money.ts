import type { Usage } from './inference.ts';
import type { NanoUsd } from './units.ts';

/** What a variant charges. Versioned, so that an old bill can be explained. */
export interface PriceSheet {
  readonly version: string;
  readonly perRequest: NanoUsd;
  readonly perRow: NanoUsd;
  readonly perInputToken: NanoUsd;
  readonly perOutputToken: NanoUsd;
  readonly perComputeMs: NanoUsd;
  /** Charged in place of all else when the cache answered. */
  readonly perCacheHit: NanoUsd;
}

/** One finished request as it is booked. */
export interface UsageRecord {
  readonly tenant: string;
  readonly model: string;
  readonly variant: string;
  readonly priceVersion: string;
  readonly cacheHit: boolean;
  readonly failed: boolean;
  readonly cost: NanoUsd;
  readonly usage: Usage;
}

/** Sums of what a tenant used of a model. `cost` is exact beyond 2^53. */
export interface UsageTotal {
  readonly tenant: string;
  readonly model: string;
  readonly variant: string;
  readonly requests: number;
  readonly failures: number;
  readonly cacheHits: number;
  readonly rows: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly computeUs: number;
  readonly cost: bigint;
}

/** Where usage is booked before the last byte of an answer leaves. */
export interface UsageBook {
  book(record: UsageRecord): void;
  /** Of one tenant, or of all when `tenant` is empty. */
  totals(tenant: string): readonly UsageTotal[];
}
