import type { PlaceGrant } from '../core/limits.ts';
import type { ConcurrencyCap } from '../core/tenant.ts';
import type { CapId, Millis } from '../core/units.ts';
import type { Maybe } from '../core/verdict.ts';
import type { LeaseOptions } from './lease-options.ts';

type Waiter = (result: boolean | null) => void;

/** Others are short of places: for so long, each place that falls free goes back at once. */
const OWED_MS = 100;

/**
 * Places for the requests in flight of one tenant over all workers, seen from one: requests take places that this worker borrowed, and
 * wait for the office where it has none.
 */
export class LeasedConcurrencyCap implements ConcurrencyCap {
  readonly capacity: number;
  readonly #id: CapId;
  readonly #o: LeaseOptions;
  #lent = 0;
  #inFlight = 0;
  /** Most in flight since the last sweep. */
  #peak = 0;
  /** Places that were recalled and were all in use. */
  #owed = 0;
  #owedUntilMs = 0;
  #asked: Waiter[] = [];
  #coming: Waiter[] = [];
  #asks = 0;
  /** Number of the ask under way; 0 for none. */
  #underWay = 0;
  /** Some of those who wait were asked for before. */
  #isSecondAsk = false;
  #cancelAlarm: () => void = nothing;
  #askAheadAt = 0;
  #refusedUntilMs = 0;
  #silentUntilMs = 0;
  #overReleased = 0;

  readonly #onLent: (cap: LeasedConcurrencyCap) => void;

  /** `onLent` hears of every grant, so that only caps that hold anything are swept. */
  constructor(id: CapId, capacity: number, options: LeaseOptions, onLent: (cap: LeasedConcurrencyCap) => void) {
    this.#id = id;
    this.capacity = capacity;
    this.#o = options;
    this.#onLent = onLent;
  }

  /** Those of this worker. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Releases without a take. Not 0 means a bug in the caller; clamped, since a negative count would admit too many for ever. */
  get overReleased(): number {
    return this.#overReleased;
  }

  /** @hot */
  take(): Maybe<boolean | null> {
    if (this.#inFlight < this.#lent && this.#asked.length + this.#coming.length === 0) {
      this.#occupy();
      return true;
    }
    return this.#inFlight >= this.capacity ? false : this.#takeLate();
  }

  /** @hot */
  release(): void {
    if (this.#inFlight === 0) {
      this.#overReleased++;
      return;
    }
    this.#inFlight--;
    if (this.#asked.length + this.#coming.length > 0) this.#handOn();
    else if (this.#owed > 0) this.#payBack();
  }

  /** Others want places: idle ones go at once, more when they fall free. */
  recall(places: number): void {
    const back = Math.min(places, this.#lent - this.#inFlight);
    this.#lent -= back;
    this.#owed = places - back;
    this.#owedUntilMs = this.#o.clock.nowMs() + OWED_MS;
    this.#o.office.givePlaces(this.#id, back);
  }

  /** Gives back what was not needed since the last sweep. True when nothing is left. */
  sweep(nowMs: Millis): boolean {
    if (nowMs >= this.#owedUntilMs) this.#owed = 0;
    const idle = this.#lent - this.#peak;
    this.#peak = this.#inFlight;
    if (idle > 0 && this.#underWay === 0) {
      this.#lent -= idle;
      this.#o.office.givePlaces(this.#id, idle);
    }
    return this.#lent === 0;
  }

  #occupy(): void {
    this.#inFlight++;
    if (this.#inFlight > this.#peak) this.#peak = this.#inFlight;
    if (this.#lent - this.#inFlight < this.#askAheadAt && this.#underWay === 0) this.#ask();
  }

  #takeLate(): Maybe<boolean | null> {
    const nowMs = this.#o.clock.nowMs();
    if (nowMs < this.#refusedUntilMs) return false;
    if (nowMs < this.#silentUntilMs || this.#asked.length + this.#coming.length >= this.#o.maxWaiting) return null;
    const { promise, resolve } = Promise.withResolvers<boolean | null>();
    this.#coming.push(resolve);
    if (this.#underWay === 0) this.#ask();
    return promise;
  }

  #ask(): void {
    this.#asked = this.#coming;
    this.#coming = [];
    this.#askAheadAt = 0;
    const number = ++this.#asks;
    this.#underWay = number;
    const silent = (): void => this.#silent(number);
    this.#cancelAlarm = this.#o.setAlarm(this.#o.askTimeoutMs, silent);
    this.#o.office
      .askPlaces({ cap: this.#id, needed: this.#asked.length })
      .then((grant) => this.#answered(number, grant), silent);
  }

  #answered(number: number, grant: PlaceGrant): void {
    if (number !== this.#underWay) {
      // Nobody waits for it any more.
      if (grant.granted > 0) this.#o.office.givePlaces(this.#id, grant.granted);
      return;
    }
    this.#settleAsk();
    this.#lent += grant.granted;
    if (grant.granted > 0) this.#onLent(this);
    this.#refusedUntilMs = grant.retryInMs === 0 ? 0 : this.#o.clock.nowMs() + grant.retryInMs;
    this.#handOn();
    if (this.#asked.length > 0) this.#disappoint(grant.retryInMs > 0);
    else this.#isSecondAsk = false;
    if (this.#coming.length > 0) this.#ask();
    else this.#askAheadAt = Math.ceil((this.#lent - this.#inFlight) / 2);
  }

  /** Fewer places than waiters. The office gives what is free at once, and only when nothing is does it ask other workers for theirs. */
  #disappoint(isRefused: boolean): void {
    if (isRefused) this.#refuse(false);
    else if (this.#isSecondAsk) this.#refuse(null);
    else {
      this.#coming = this.#asked.concat(this.#coming);
      this.#asked = [];
      this.#isSecondAsk = true;
      return;
    }
    this.#isSecondAsk = false;
  }

  #silent(number: number): void {
    if (number !== this.#underWay) return;
    this.#settleAsk();
    this.#silentUntilMs = this.#o.clock.nowMs() + this.#o.askTimeoutMs;
    this.#isSecondAsk = false;
    this.#refuse(null);
  }

  #settleAsk(): void {
    this.#cancelAlarm();
    this.#underWay = 0;
  }

  /** Idle places go to those who wait, the oldest first. */
  #handOn(): void {
    while (this.#inFlight < this.#lent) {
      const waiter = this.#asked.shift() ?? this.#coming.shift();
      if (waiter === undefined) return;
      this.#inFlight++;
      if (this.#inFlight > this.#peak) this.#peak = this.#inFlight;
      waiter(true);
    }
  }

  #refuse(result: false | null): void {
    const waiters = this.#asked.concat(this.#coming);
    this.#asked = [];
    this.#coming = [];
    for (const waiter of waiters) waiter(result);
  }

  #payBack(): void {
    if (this.#o.clock.nowMs() >= this.#owedUntilMs) this.#owed = 0;
    else {
      this.#owed--;
      this.#lent--;
      if (this.#peak > this.#lent) this.#peak = this.#lent;
      this.#o.office.givePlaces(this.#id, 1);
    }
  }
}

function nothing(): void {}
