import type { BucketId } from '../../../src/core/units.ts';
import { LeasedRateLimiter } from '../../../src/limits/leased-rate-limiter.ts';
import { LocalLeaseOffice } from '../../../src/limits/local-lease-office.ts';
import { PlaceLedger } from '../../../src/limits/place-ledger.ts';
import { RateLedger } from '../../../src/limits/rate-ledger.ts';
import { rateLimiterContract } from '../../support/contracts/rate-limiter-contract.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const clock = new FakeClock();
const id = (n: number): BucketId => n as BucketId;

rateLimiterContract('LeasedRateLimiter', {
  make: (buckets) => {
    const rates = new RateLedger(buckets.length, () => 1);
    const office = new LocalLeaseOffice(0, { rates, places: new PlaceLedger(() => 1) }, clock);
    const alarms = new FakeAlarms(clock);
    const limiter = new LeasedRateLimiter(buckets.length, {
      office,
      clock,
      setAlarm: alarms.set,
      askTimeoutMs: 50,
      maxWaiting: 100,
    });
    buckets.forEach((bucket, n) => {
      rates.configure(id(n), bucket.ratePerSecond, bucket.burst);
      limiter.configure(id(n), bucket.ratePerSecond, bucket.burst);
    });
    return limiter;
  },
  setClock: (nowMs) => clock.set(nowMs),
  exact: false,
});
