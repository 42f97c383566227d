import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketId } from '../../../src/core/units.ts';
import { LeasedRateLimiter } from '../../../src/limits/leased-rate-limiter.ts';
import { LocalLeaseOffice } from '../../../src/limits/local-lease-office.ts';
import { PlaceLedger } from '../../../src/limits/place-ledger.ts';
import { RateLedger } from '../../../src/limits/rate-ledger.ts';
import { rateLimiterContract } from '../../support/contracts/rate-limiter-contract.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ASK_TIMEOUT_MS, BUCKET, LeaseWorld, tick } from '../../support/lease-world.ts';

const contractClock = new FakeClock();
const id = (n: number): BucketId => n as BucketId;

rateLimiterContract('LeasedRateLimiter', {
  make: (buckets) => {
    const rates = new RateLedger(buckets.length, () => 1);
    const office = new LocalLeaseOffice(0, { rates, places: new PlaceLedger(() => 1) }, contractClock);
    const setAlarm = new FakeAlarms(contractClock).set;
    const options = { office, clock: contractClock, setAlarm, askTimeoutMs: ASK_TIMEOUT_MS, maxWaiting: 100 };
    const limiter = new LeasedRateLimiter(buckets.length, options);
    buckets.forEach((bucket, n) => {
      rates.configure(id(n), bucket.ratePerSecond, bucket.burst);
      limiter.configure(id(n), bucket.ratePerSecond, bucket.burst);
    });
    return limiter;
  },
  setClock: (nowMs) => contractClock.set(nowMs),
  exact: false,
});

describe('LeasedRateLimiter', () => {
  it('answers on the spot while it holds tokens, and has asked for more before they are gone', async () => {
    const world = new LeaseWorld({ workers: 1, ratePerSecond: 1_000, burst: 10_000 });
    const worker = world.workers[0]!;
    const first = worker.take();
    await world.settle();
    expect(await first).toBe(0);
    for (let i = 0; i < 1_000; i++) {
      expect(worker.take()).toBe(0);
      await world.settle();
    }
    expect(worker.wire.sent).toBeLessThan(30);
  });

  it('asks once for all who wait together', async () => {
    const world = new LeaseWorld({ workers: 1, ratePerSecond: 10, burst: 20 });
    const worker = world.workers[0]!;
    const takes = Array.from({ length: 20 }, () => worker.take());
    await world.settle();
    expect(await Promise.all(takes)).toEqual(takes.map(() => 0));
    // One for the first, and one for those who came while it was under way.
    expect(worker.wire.sent).toBe(2);
  });

  it('remembers a refusal, so that a flood over the limit asks nobody', async () => {
    const world = new LeaseWorld({ workers: 1, ratePerSecond: 10, burst: 1 });
    const worker = world.workers[0]!;
    const takes = [worker.take(), worker.take()];
    await world.settle();
    expect(await Promise.all(takes)).toEqual([0, 100]);
    const { sent } = worker.wire;
    world.clock.advance(60);
    for (let i = 0; i < 1_000; i++) expect(worker.take()).toBe(40);
    expect(worker.wire.sent).toBe(sent);
    world.clock.advance(40);
    const again = worker.take();
    await world.settle();
    expect(await again).toBe(0);
  });

  it('cannot judge when the office is silent, says so after the time-out, and at once until it is worth asking again', async () => {
    const world = new LeaseWorld({ workers: 1 });
    const worker = world.workers[0]!;
    const takes = [worker.take(), worker.take()];
    world.alarms.advance(ASK_TIMEOUT_MS);
    expect(await Promise.all(takes)).toEqual([null, null]);
    expect(worker.take()).toBeNull();
    world.alarms.advance(ASK_TIMEOUT_MS);
    const later = worker.take();
    await world.settle();
    expect(await later).toBe(0);
    expect(world.alarms.size).toBe(0);
  });

  it('gives back what an office grants too late', async () => {
    const world = new LeaseWorld({ workers: 1, ratePerSecond: 1, burst: 10 });
    const worker = world.workers[0]!;
    const late = worker.take(10);
    world.alarms.advance(ASK_TIMEOUT_MS);
    await world.settle();
    expect(await late).toBeNull();
    world.alarms.advance(ASK_TIMEOUT_MS);
    const whole = worker.take(10);
    await world.settle();
    expect(await whole).toBe(0);
  });

  it('cannot judge more waiting requests than its bound', () => {
    const world = new LeaseWorld({ workers: 1 });
    const worker = world.workers[0]!;
    for (let i = 0; i < 100; i++) expect(worker.take()).toBeInstanceOf(Promise);
    expect(worker.take()).toBeNull();
  });

  it('gives an idle lease back, so that another worker can have the whole burst', async () => {
    const world = new LeaseWorld({ workers: 2, ratePerSecond: 100, burst: 100 });
    const [idle, busy] = [world.workers[0]!, world.workers[1]!];
    void idle.take();
    await world.settle();
    expect(world.rates.lent(BUCKET)).toBeGreaterThan(1);
    world.sweep();
    world.clock.advance(100);
    world.sweep();
    await world.settle();
    expect(world.rates.lent(BUCKET)).toBe(0);
    const whole = busy.take(100);
    await world.settle();
    expect(await whole).toBe(0);
  });

  it('wastes no more than its lease when a worker dies', async () => {
    const world = new LeaseWorld({ workers: 2, ratePerSecond: 100, burst: 100 });
    void world.workers[0]!.take();
    await world.settle();
    const lent = world.rates.lent(BUCKET);
    expect(lent).toBeLessThanOrEqual(10);
    world.rates.forget(0, world.clock.nowMs());
    expect(world.rates.lent(BUCKET)).toBe(0);
    const rest = world.workers[1]!.take(100 - lent - 1);
    await world.settle();
    expect(await rest).toBe(0);
  });

  it('lets all workers together have the whole rate, whoever of them is asked', async () => {
    for (const [ratePerSecond, burst] of [
      [500, 50],
      [50, 5],
      [5, 1],
    ] as const) {
      const world = new LeaseWorld({ workers: 3, ratePerSecond, burst });
      let admitted = 0;
      for (let ms = 0; ms < 10_000; ms += 10) {
        for (let n = 0; n < 15; n++) {
          void Promise.resolve(world.workers[(ms / 10 + n) % 3]!.take()).then((wait) => {
            if (wait === 0) admitted++;
          });
        }
        await world.settle();
        world.alarms.advance(10);
        if (ms % 100 === 0) world.sweep();
      }
      expect(admitted).toBeLessThanOrEqual(burst + 10 * ratePerSecond);
      expect(admitted).toBeGreaterThan(9.7 * ratePerSecond);
    }
  });

  it('never admits more over all workers than burst + rate × time, with a wire as slow as it likes and workers that die', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (bucket, script) => {
        const world = new LeaseWorld(bucket);
        const admitted: { atMs: number; tokens: number }[] = [];
        for (const step of script) {
          const worker = world.workers[step.worker % bucket.workers]!;
          if (step.is === 'take') {
            void Promise.resolve(worker.take(Math.min(step.n, bucket.burst))).then((wait) => {
              if (wait === 0) admitted.push({ atMs: world.clock.nowMs(), tokens: Math.min(step.n, bucket.burst) });
            });
          } else if (step.is === 'deliver') worker.wire.deliver();
          else if (step.is === 'settle') await world.settle();
          else if (step.is === 'sweep') worker.sweep();
          else if (step.is === 'die') world.restart(step.worker % bucket.workers);
          else world.alarms.advance((step.n % 20) * 5);
          await tick();
        }
        // What is spent on the way here drains already: the wire is never slower than an ask may take.
        const slack = (bucket.ratePerSecond * 2 * ASK_TIMEOUT_MS) / 1_000;
        expect(worst(admitted, bucket.ratePerSecond)).toBeLessThanOrEqual(bucket.burst + slack + 1e-3);
      }),
      { seed: 20_260, numRuns: 150 },
    );
  });

  it('never admits more than burst + rate × time where the office answers at once', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (bucket, script) => {
        const world = new LeaseWorld(bucket);
        const admitted: { atMs: number; tokens: number }[] = [];
        for (const step of script) {
          const worker = world.workers[step.worker % bucket.workers]!;
          if (step.is === 'take') {
            const taken = Promise.resolve(worker.take(Math.min(step.n, bucket.burst)));
            await world.settle();
            if ((await taken) === 0) admitted.push({ atMs: world.clock.nowMs(), tokens: Math.min(step.n, bucket.burst) });
          } else if (step.is === 'sweep') worker.sweep();
          else if (step.is === 'wait') world.alarms.advance((step.n % 20) * 5);
          await world.settle();
        }
        expect(worst(admitted, bucket.ratePerSecond)).toBeLessThanOrEqual(bucket.burst + 1e-3);
      }),
      { seed: 20_260, numRuns: 150 },
    );
  });
});

const limits = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  ratePerSecond: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 50, max: 1_000 })),
  burst: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 300 })),
});
const steps = fc.array(
  fc.record({
    is: fc.constantFrom('take', 'take', 'take', 'deliver', 'deliver', 'settle', 'wait', 'sweep', 'die'),
    worker: fc.integer({ min: 0, max: 2 }),
    n: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
  }),
  { maxLength: 80, size: 'max' },
);

/** The most that came in any window beyond what the rate allows for its length. */
function worst(admitted: readonly { atMs: number; tokens: number }[], ratePerSecond: number): number {
  let most = 0;
  for (let from = 0; from < admitted.length; from++) {
    let tokens = 0;
    for (let to = from; to < admitted.length; to++) {
      tokens += admitted[to]!.tokens;
      most = Math.max(most, tokens - ((admitted[to]!.atMs - admitted[from]!.atMs) * ratePerSecond) / 1_000);
    }
  }
  return most;
}
