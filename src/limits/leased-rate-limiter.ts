import type { RateLimiter } from '../core/limits.ts';
import type { BucketId, Millis } from '../core/units.ts';
import type { Maybe } from '../core/verdict.ts';
import { BucketTable } from './bucket-table.ts';
import type { LeaseOptions } from './lease-options.ts';
import { type LeaseOwner, TokenLease } from './token-lease.ts';
import { TokenWaiter } from './token-waiter.ts';

/** Rounds to the office for one request: its tokens may be gone to another each time, but not for ever. */
const MAX_ROUNDS = 4;

/**
 * Rate limits over all workers, seen from one: takes from tokens that it borrowed, and asks the office for more before they are gone. What
 * the office refuses is remembered, so that a flood over the limit is refused on the spot.
 */
export class LeasedRateLimiter implements RateLimiter, LeaseOwner {
  readonly #o: LeaseOptions;
  /** What is in use elsewhere, as the office last told it, and here since: for header fields alone. */
  readonly #seen: BucketTable;
  /** Buckets asked for so far. */
  readonly #leases = new Map<BucketId, TokenLease>();
  #waiting = 0;

  constructor(buckets: number, options: LeaseOptions) {
    this.#o = options;
    this.#seen = new BucketTable(buckets);
  }

  /** As the ledger has it: here it says what can never fit, and fills header fields. */
  configure(bucket: BucketId, tokensPerSecond: number, burst: number): void {
    this.#seen.configure(bucket, tokensPerSecond, burst);
  }

  /** @hot The buckets of one call are distinct. */
  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): Maybe<number | null> {
    for (let i = 0; i < buckets.length; i++) {
      if (!this.#seen.fits(buckets[i]!, tokens)) return Number.POSITIVE_INFINITY;
    }
    if (this.#spend(buckets, tokens, nowMs, false)) return 0;
    const waitMs = this.#refusedForMs(buckets, tokens, nowMs);
    if (waitMs > 0) return waitMs;
    if (this.#waiting >= this.#o.maxWaiting || this.#isSilent(buckets, tokens, nowMs)) return null;
    const waiter = new TokenWaiter(buckets, tokens, nowMs);
    this.#waiting++;
    this.#join(waiter);
    return waiter.promise;
  }

  /** @hot */
  remaining(bucket: BucketId, nowMs: Millis): number {
    return Math.max(0, Math.floor(this.#seen.room(bucket, nowMs)));
  }

  /** @hot */
  fullInMs(bucket: BucketId, nowMs: Millis): number {
    return this.#seen.emptyInMs(bucket, nowMs);
  }

  /** Gives back what was not touched since the last sweep. To be called every 100 ms or so: the ledger counts on 250 ms at most. */
  sweep(nowMs: Millis): void {
    for (const [bucket, lease] of this.#leases) {
      if (lease.sweep(nowMs)) this.#leases.delete(bucket);
    }
  }

  /** An answer came, or did not come, for one bucket of the waiter. */
  served(waiter: TokenWaiter): void {
    if (--waiter.missing > 0) return;
    const { buckets, tokens } = waiter;
    const nowMs = this.#o.clock.nowMs();
    if (this.#spend(buckets, tokens, nowMs, true)) {
      this.#settle(waiter, 0);
      return;
    }
    const waitMs = this.#refusedForMs(buckets, tokens, nowMs);
    if (waitMs > 0) this.#settle(waiter, waitMs);
    else if (this.#isTired(waiter, nowMs) || this.#isSilent(buckets, tokens, nowMs)) this.#settle(waiter, null);
    else this.#join(waiter);
  }

  learned(lease: TokenLease, remaining: number): void {
    const level = this.#seen.burst(lease.bucket) - remaining - lease.held;
    this.#seen.set(lease.bucket, level, this.#o.clock.nowMs());
  }

  tokensPerMs(bucket: BucketId): number {
    return this.#seen.tokensPerMs(bucket);
  }

  /** Takes from every bucket or from none. Who waits in line comes first, unless it is one of the line that asks. */
  #spend(buckets: readonly BucketId[], tokens: number, nowMs: Millis, isFromLine: boolean): boolean {
    for (let i = 0; i < buckets.length; i++) {
      const lease = this.#leases.get(buckets[i]!);
      if (lease === undefined) {
        if (tokens > 0) return false;
      } else if (lease.held < tokens || (lease.hasLine && !isFromLine)) return false;
    }
    for (let i = 0; i < buckets.length; i++) {
      this.#seen.add(buckets[i]!, tokens, nowMs);
      this.#leases.get(buckets[i]!)?.spend(tokens);
    }
    return true;
  }

  #refusedForMs(buckets: readonly BucketId[], tokens: number, nowMs: Millis): number {
    let waitMs = 0;
    for (let i = 0; i < buckets.length; i++) {
      const lease = this.#leases.get(buckets[i]!);
      if (lease !== undefined) waitMs = Math.max(waitMs, lease.refusedForMs(tokens, nowMs));
    }
    return waitMs;
  }

  #isSilent(buckets: readonly BucketId[], tokens: number, nowMs: Millis): boolean {
    for (let i = 0; i < buckets.length; i++) {
      const lease = this.#leases.get(buckets[i]!);
      if (lease !== undefined && lease.held < tokens && nowMs < lease.silentUntilMs) return true;
    }
    return false;
  }

  /** Stands in line at every bucket that lacks tokens. */
  #join(waiter: TokenWaiter): void {
    // Counted before the first line may answer.
    const lacking: TokenLease[] = [];
    for (const bucket of waiter.buckets) {
      const lease = this.#leaseOf(bucket);
      if (lease.held < waiter.tokens || lease.hasLine) lacking.push(lease);
    }
    waiter.missing = lacking.length;
    for (const lease of lacking) lease.enqueue(waiter);
  }

  #settle(waiter: TokenWaiter, result: number | null): void {
    this.#waiting--;
    waiter.settle(result);
  }

  /** Its tokens went to another each time; that must not go on for ever. */
  #isTired(waiter: TokenWaiter, nowMs: Millis): boolean {
    return ++waiter.rounds >= MAX_ROUNDS || nowMs - waiter.sinceMs >= this.#o.askTimeoutMs;
  }

  #leaseOf(bucket: BucketId): TokenLease {
    let lease = this.#leases.get(bucket);
    if (lease === undefined) {
      lease = new TokenLease(bucket, this.#o, this);
      this.#leases.set(bucket, lease);
    }
    return lease;
  }
}
