import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { LeaseOffice } from '../core/limits.ts';
import type { BucketId, CapId } from '../core/units.ts';
import { systemAlarm } from '../limits/alarm.ts';
import { LeasedCaps } from '../limits/leased-caps.ts';
import { LeasedRateLimiter } from '../limits/leased-rate-limiter.ts';
import type { Ledgers } from '../limits/local-lease-office.ts';
import { PlaceLedger } from '../limits/place-ledger.ts';
import { RateLedger } from '../limits/rate-ledger.ts';

/** Leases not used for so long go back; the ledgers count on 250 ms at most. */
const SWEEP_MS = 100;
const MAX_WAITING = 1_024;

/** The ledgers for the tenants of a config: bucket and cap of each have its place in the list as their number. */
export function buildLedgers(config: Config, workers: () => number): Ledgers {
  const rates = new RateLedger(config.tenants.length, workers);
  const ledgers = { rates, places: new PlaceLedger(workers) };
  configureLedgers(ledgers, config);
  return ledgers;
}

/** Limits of the same tenants as they are from now on. */
export function configureLedgers({ rates, places }: Ledgers, config: Config): void {
  config.tenants.forEach((tenant, t) => {
    rates.configure(t as BucketId, tenant.rate.requestsPerSecond, tenant.rate.burst);
    places.configure(t as CapId, tenant.maxInFlight);
  });
}

/** The leases of one worker: what it borrowed from the office, and the timer that gives idle ones back. */
export class Leases {
  readonly limiter: LeasedRateLimiter;
  readonly caps: LeasedCaps;
  readonly #timer: NodeJS.Timeout;

  /**
   * The office is in another process and answers within a millisecond or two. Where all cores are busy, as while new workers begin, it may
   * be a second until that process has its turn: `askTimeoutMs` is how long an answer is waited for.
   */
  constructor(buckets: number, askTimeoutMs: number, { office, clock }: { readonly office: LeaseOffice; readonly clock: Clock }) {
    const options = { office, clock, setAlarm: systemAlarm, askTimeoutMs, maxWaiting: MAX_WAITING };
    this.limiter = new LeasedRateLimiter(buckets, options);
    this.caps = new LeasedCaps(options);
    this.#timer = setInterval(() => {
      const nowMs = clock.nowMs();
      this.limiter.sweep(nowMs);
      this.caps.sweep(nowMs);
    }, SWEEP_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
