import type { LeaseOffice, PlaceAsk, PlaceGrant, TokenAsk, TokenGrant, TokenReport } from '../../src/core/limits.ts';
import type { BucketId, CapId } from '../../src/core/units.ts';
import type { LeasedConcurrencyCap } from '../../src/limits/leased-cap.ts';
import { LeasedCaps } from '../../src/limits/leased-caps.ts';
import { LeasedRateLimiter } from '../../src/limits/leased-rate-limiter.ts';
import { LocalLeaseOffice } from '../../src/limits/local-lease-office.ts';
import { PlaceLedger } from '../../src/limits/place-ledger.ts';
import { RateLedger } from '../../src/limits/rate-ledger.ts';
import { FakeAlarms } from './fake-alarms.ts';
import { FakeClock } from './fake-clock.ts';

/** Several workers that share the ledgers of one office, over a wire on which each message waits for the test. */

export const BUCKET = 0 as BucketId;
export const CAP = 0 as CapId;
export const ASK_TIMEOUT_MS = 50;

export interface LeaseLimits {
  readonly workers: number;
  readonly ratePerSecond?: number;
  readonly burst?: number;
  readonly places?: number;
}

export class LeaseWorld {
  readonly clock = new FakeClock(1_000);
  readonly alarms = new FakeAlarms(this.clock);
  readonly rates: RateLedger;
  readonly places: PlaceLedger;
  readonly workers: LeaseWorker[] = [];
  readonly limits: Required<LeaseLimits>;

  constructor(limits: LeaseLimits) {
    this.limits = { ratePerSecond: 10, burst: 10, places: 10, ...limits };
    this.rates = new RateLedger(1, () => this.workers.length);
    this.places = new PlaceLedger(() => this.workers.length);
    this.rates.configure(BUCKET, this.limits.ratePerSecond, this.limits.burst);
    this.places.configure(CAP, this.limits.places);
    for (let n = 0; n < limits.workers; n++) this.workers.push(new LeaseWorker(this, n));
  }

  /** Lets every message through, and those that come of it. */
  async settle(): Promise<void> {
    do {
      for (const worker of this.workers) while (worker.wire.deliver());
      await tick();
    } while (this.workers.some((worker) => worker.wire.length > 0));
  }

  /** The worker dies with all that it held, and another takes its place. */
  restart(n: number): void {
    const dead = this.workers[n]!;
    dead.wire.lose();
    this.rates.forget(dead.id, this.clock.nowMs());
    this.places.forget(dead.id);
    this.workers[n] = new LeaseWorker(this, dead.id + 10);
  }

  sweep(): void {
    for (const worker of this.workers) worker.sweep();
  }
}

export class LeaseWorker {
  readonly id: number;
  readonly wire: Wire;
  readonly limiter: LeasedRateLimiter;
  readonly cap: LeasedConcurrencyCap;
  readonly #world: LeaseWorld;
  readonly #caps: LeasedCaps;

  constructor(world: LeaseWorld, id: number) {
    this.#world = world;
    this.id = id;
    this.wire = new Wire(new LocalLeaseOffice(id, world, world.clock));
    const { clock, alarms } = world;
    const options = { office: this.wire, clock, setAlarm: alarms.set, askTimeoutMs: ASK_TIMEOUT_MS, maxWaiting: 100 };
    this.limiter = new LeasedRateLimiter(1, options);
    this.limiter.configure(BUCKET, world.limits.ratePerSecond, world.limits.burst);
    this.#caps = new LeasedCaps(options);
    this.cap = this.#caps.cap(CAP, world.limits.places);
  }

  take(tokens = 1) {
    return this.limiter.take([BUCKET], tokens, this.#world.clock.nowMs());
  }

  sweep(): void {
    this.limiter.sweep(this.#world.clock.nowMs());
    this.#caps.sweep(this.#world.clock.nowMs());
  }
}

/** Messages of one worker in both directions, in order. */
export class Wire implements LeaseOffice {
  readonly #office: LocalLeaseOffice;
  readonly #queue: (() => void)[] = [];
  /** Messages sent by the worker. */
  sent = 0;

  constructor(office: LocalLeaseOffice) {
    this.#office = office;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** One message arrives. False when there is none. */
  deliver(): boolean {
    const message = this.#queue.shift();
    message?.();
    return message !== undefined;
  }

  lose(): void {
    this.#queue.length = 0;
  }

  askTokens(ask: TokenAsk): Promise<TokenGrant> {
    return this.#ask(() => this.#office.askTokens(ask));
  }

  reportTokens(report: TokenReport): void {
    this.#send(() => this.#office.reportTokens(report));
  }

  askPlaces(ask: PlaceAsk): Promise<PlaceGrant> {
    return this.#ask(() => this.#office.askPlaces(ask));
  }

  givePlaces(cap: CapId, places: number): void {
    this.#send(() => this.#office.givePlaces(cap, places));
  }

  onRecall(listener: (cap: CapId, places: number) => void): void {
    this.#office.onRecall((cap, places) => this.#queue.push(() => listener(cap, places)));
  }

  #send(message: () => void): void {
    this.sent++;
    this.#queue.push(message);
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#send(() => void work().then((answer) => this.#queue.push(() => resolve(answer))));
    return promise;
  }
}

/** Everything that promises had to say has been said. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
