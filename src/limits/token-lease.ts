import type { TokenGrant } from '../core/limits.ts';
import type { BucketId, Millis } from '../core/units.ts';
import type { LeaseOptions } from './lease-options.ts';
import type { TokenWaiter } from './token-waiter.ts';

/** Who works with the leases of all buckets. */
export interface LeaseOwner {
  /** The office has answered for this waiter's bucket, or is silent. */
  served(waiter: TokenWaiter): void;
  learned(lease: TokenLease, remaining: number): void;
  tokensPerMs(bucket: BucketId): number;
}

/** How old the last use of a lease is, in sweeps. */
const Use = { Fresh: 0, Old: 1, Returned: 2 } as const;
type Use = (typeof Use)[keyof typeof Use];

/** Asked ahead when half of a lease is left; less than this is not worth a message. */
const LEAST_AHEAD = 2;
const NOT_AHEAD = -1;
/** The ledger knows a smaller burst than we do: until both have the same config there is nothing to wait for. */
const MISMATCH_WAIT_MS = 1_000;

/** What one worker holds of one bucket, and its line to the office: one ask under way, and those who wait for the next. */
export class TokenLease {
  readonly bucket: BucketId;
  held = 0;
  silentUntilMs = 0;
  readonly #o: LeaseOptions;
  readonly #owner: LeaseOwner;
  #asked: TokenWaiter[] = [];
  #coming: TokenWaiter[] = [];
  #asks = 0;
  /** Number of the ask under way; 0 for none. */
  #underWay = 0;
  #cancelAlarm: () => void = nothing;
  #serving = false;
  #askAheadAt = NOT_AHEAD;
  #refusedUntilMs = 0;
  #refusedTokens = 0;
  #use: Use = Use.Returned;

  constructor(bucket: BucketId, options: LeaseOptions, owner: LeaseOwner) {
    this.bucket = bucket;
    this.#o = options;
    this.#owner = owner;
  }

  /** Others came first and still wait. */
  get hasLine(): boolean {
    return this.#asked.length > 0 || this.#coming.length > 0;
  }

  /** @hot */
  spend(tokens: number): void {
    this.held -= tokens;
    this.#use = Use.Fresh;
    if (this.held <= this.#askAheadAt && this.#underWay === 0 && !this.#serving) this.#ask();
  }

  /** Milliseconds in which the office would refuse so many tokens, as it said when it refused as many or fewer. @hot */
  refusedForMs(tokens: number, nowMs: Millis): number {
    if (tokens <= this.held || tokens < this.#refusedTokens || nowMs >= this.#refusedUntilMs) return 0;
    const moreMs = (tokens - this.#refusedTokens) / this.#owner.tokensPerMs(this.bucket);
    return Math.ceil(this.#refusedUntilMs - nowMs + moreMs);
  }

  enqueue(waiter: TokenWaiter): void {
    this.#coming.push(waiter);
    if (this.#underWay === 0 && !this.#serving) this.#ask();
  }

  /** Gives back what was not used since the last sweep but one. True when nothing is left to remember. */
  sweep(nowMs: Millis): boolean {
    if (this.#underWay !== 0) return false;
    if (this.#use === Use.Fresh) this.#use = Use.Old;
    else if (this.#use === Use.Old) {
      this.#use = Use.Returned;
      const back = this.held;
      this.held = 0;
      this.#askAheadAt = NOT_AHEAD;
      this.#o.office.reportTokens({ bucket: this.bucket, held: 0, back });
    }
    return this.#use === Use.Returned && nowMs >= this.#refusedUntilMs && nowMs >= this.silentUntilMs;
  }

  #ask(): void {
    this.#asked = this.#coming;
    this.#coming = [];
    const number = ++this.#asks;
    this.#underWay = number;
    this.#askAheadAt = NOT_AHEAD;
    let tokens = 0;
    for (const waiter of this.#asked) tokens += waiter.tokens;
    const ask = { bucket: this.bucket, tokens, least: this.#asked[0]?.tokens ?? 0, held: this.held };
    const silent = (): void => this.#silent(number);
    this.#cancelAlarm = this.#o.setAlarm(this.#o.askTimeoutMs, silent);
    this.#o.office.askTokens(ask).then((grant) => this.#answered(number, ask, grant), silent);
  }

  #answered(number: number, ask: { tokens: number; least: number; held: number }, grant: TokenGrant): void {
    if (number !== this.#underWay) {
      // Nobody waits for it any more.
      this.#o.office.reportTokens({ bucket: this.bucket, held: this.held, back: grant.granted });
      return;
    }
    this.held += grant.granted;
    this.#use = Use.Fresh;
    this.#refusedTokens = ask.least;
    const retryInMs = grant.retryInMs < 0 ? MISMATCH_WAIT_MS : grant.retryInMs;
    this.#refusedUntilMs = retryInMs === 0 ? 0 : this.#o.clock.nowMs() + retryInMs;
    this.#owner.learned(this, grant.remaining);
    this.#serve();
    const expected = grant.retryInMs === 0 ? Math.max(0, ask.held + grant.granted - ask.tokens) : ask.held;
    if (ask.tokens > 0 && this.held > expected) {
      // The ledger took them for spent: some who waited have left, or lacked tokens of another bucket.
      this.#o.office.reportTokens({ bucket: this.bucket, held: this.held, back: 0 });
    }
    this.#askAheadAt = this.held >= LEAST_AHEAD ? this.held / 2 : NOT_AHEAD;
    if (this.#coming.length > 0) this.#ask();
  }

  #silent(number: number): void {
    if (number !== this.#underWay) return;
    this.silentUntilMs = this.#o.clock.nowMs() + this.#o.askTimeoutMs;
    for (const waiter of this.#coming) this.#asked.push(waiter);
    this.#coming = [];
    this.#serve();
    if (this.#coming.length > 0) this.#ask();
  }

  /** The owner judges everybody whose turn it is. Who has to ask again comes back to the line meanwhile. */
  #serve(): void {
    this.#cancelAlarm();
    this.#underWay = 0;
    const waiters = this.#asked;
    this.#asked = [];
    this.#serving = true;
    for (const waiter of waiters) this.#owner.served(waiter);
    this.#serving = false;
  }
}

function nothing(): void {}
