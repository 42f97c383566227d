import type { TokenAsk, TokenGrant, TokenReport } from '../core/limits.ts';
import type { BucketId, Millis } from '../core/units.ts';
import { BucketTable } from './bucket-table.ts';

/** A lease is what its bucket gains in this time, so that a busy worker asks some ten times a second. */
const LEASE_MS = 100;
/** A lease of one is what the request that asks for it spends anyway. */
const LEAST_LEASE = 2;
/** Workers give idle leases back within this time. */
const IDLE_LEASE_MS = 250;
const NEVER = -1;

/**
 * The truth about rates, over all workers: lends tokens and hears what became of them. Tokens leave the bucket before anybody spends
 * them, and begin to drain only when they are spent, so that no window ever admits more than burst + rate × its length:
 *
 *   burst = in use, draining | lent, standing still | room
 */
export class RateLedger {
  readonly #buckets: BucketTable;
  readonly #workers: () => number;
  /** Tokens lent and not known to be spent, by bucket. */
  readonly #lent = new Map<BucketId, number>();
  readonly #lentTo = new Map<number, Map<BucketId, number>>();

  /** `workers` says how many there are to lend to. */
  constructor(buckets: number, workers: () => number) {
    this.#buckets = new BucketTable(buckets);
    this.#workers = workers;
  }

  /** Sets or changes a bucket; what is in use or lent stays so. */
  configure(bucket: BucketId, tokensPerSecond: number, burst: number): void {
    this.#buckets.configure(bucket, tokensPerSecond, burst);
  }

  ask(worker: number, ask: TokenAsk, nowMs: Millis): TokenGrant {
    const { bucket, tokens, least, held } = ask;
    if (!this.#buckets.fits(bucket, least)) return { granted: 0, retryInMs: NEVER, remaining: this.#room(bucket, nowMs) };
    this.#settle(worker, bucket, held, 0, nowMs);
    const retryInMs = this.#waitMs(bucket, least - held, nowMs);
    if (retryInMs > 0) return { granted: 0, retryInMs, remaining: this.#room(bucket, nowMs) };
    const within = held + this.#room(bucket, nowMs);
    const spent = tokens <= within ? tokens : Math.max(least, Math.floor(within));
    this.#buckets.add(bucket, spent, nowMs);
    const kept = Math.max(0, held - spent);
    this.#lend(worker, bucket, kept - held);
    const ahead = spent === tokens ? this.#ahead(bucket, kept, nowMs) : 0;
    this.#lend(worker, bucket, ahead);
    return { granted: Math.max(0, spent - held) + ahead, retryInMs: 0, remaining: this.#room(bucket, nowMs) };
  }

  report(worker: number, report: TokenReport, nowMs: Millis): void {
    if (this.#buckets.fits(report.bucket, 0)) this.#settle(worker, report.bucket, report.held, report.back, nowMs);
  }

  /** The worker is no more. What it held counts as spent: nobody knows whether it was. */
  forget(worker: number, nowMs: Millis): void {
    const leases = this.#lentTo.get(worker);
    if (leases === undefined) return;
    for (const bucket of [...leases.keys()]) this.#settle(worker, bucket, 0, 0, nowMs);
    this.#lentTo.delete(worker);
  }

  /** Tokens that nobody else can have now: in use, or lent. */
  taken(bucket: BucketId, nowMs: Millis): number {
    return this.#buckets.level(bucket, nowMs) + this.lent(bucket);
  }

  /** Puts tokens in use that were used at another ledger, as many as there are. */
  burden(bucket: BucketId, tokens: number, nowMs: Millis): void {
    this.#buckets.add(bucket, Math.min(tokens, this.#room(bucket, nowMs)), nowMs);
  }

  /** Tokens out with workers. */
  lent(bucket: BucketId): number {
    return this.#lent.get(bucket) ?? 0;
  }

  /** More held than lent is a worker that could not spend what it had asked for at once: those tokens are no longer in use. */
  #settle(worker: number, bucket: BucketId, held: number, back: number, nowMs: Millis): void {
    const lent = this.#lentTo.get(worker)?.get(bucket) ?? 0;
    this.#buckets.add(bucket, lent - held - back, nowMs);
    this.#lend(worker, bucket, held - lent);
  }

  #lend(worker: number, bucket: BucketId, tokens: number): void {
    if (tokens === 0) return;
    let leases = this.#lentTo.get(worker);
    if (leases === undefined) {
      leases = new Map();
      this.#lentTo.set(worker, leases);
    }
    change(leases, bucket, tokens);
    change(this.#lent, bucket, tokens);
  }

  /** Until so many tokens beyond what the worker holds have room. Where others hold what is missing, until they give it back. */
  #waitMs(bucket: BucketId, more: number, nowMs: Millis): number {
    if (more <= 0) return 0;
    const waitMs = Math.ceil(this.#buckets.waitMs(bucket, this.lent(bucket) + more, nowMs));
    const lacking = more - this.#room(bucket, nowMs);
    return waitMs > 0 && lacking > this.#buckets.level(bucket, nowMs) ? Math.max(waitMs, IDLE_LEASE_MS) : waitMs;
  }

  /** Half of what is left is shared out at most, so that leases shrink as the limit comes near. */
  #ahead(bucket: BucketId, held: number, nowMs: Millis): number {
    const most = this.#room(bucket, nowMs) / (2 * Math.max(1, this.#workers()));
    const size = Math.floor(Math.min(this.#buckets.tokensPerMs(bucket) * LEASE_MS, most));
    return size < LEAST_LEASE ? 0 : Math.max(0, size - Math.floor(held));
  }

  #room(bucket: BucketId, nowMs: Millis): number {
    return Math.max(0, this.#buckets.room(bucket, nowMs) - this.lent(bucket));
  }
}

function change(counts: Map<BucketId, number>, bucket: BucketId, by: number): void {
  const count = (counts.get(bucket) ?? 0) + by;
  if (count === 0) counts.delete(bucket);
  else counts.set(bucket, count);
}
