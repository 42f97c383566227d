import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapId } from '../../../src/core/units.ts';
import { LeasedConcurrencyCap } from '../../../src/limits/leased-cap.ts';
import { LocalLeaseOffice } from '../../../src/limits/local-lease-office.ts';
import { PlaceLedger } from '../../../src/limits/place-ledger.ts';
import { RateLedger } from '../../../src/limits/rate-ledger.ts';
import { concurrencyCapContract } from '../../support/contracts/concurrency-cap-contract.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ASK_TIMEOUT_MS, CAP, type LeaseWorker, LeaseWorld, tick } from '../../support/lease-world.ts';

concurrencyCapContract('LeasedConcurrencyCap', (capacity) => {
  const clock = new FakeClock();
  const places = new PlaceLedger(() => 1);
  places.configure(0 as CapId, capacity);
  const office = new LocalLeaseOffice(0, { rates: new RateLedger(0, () => 1), places }, clock);
  const options = { office, clock, setAlarm: new FakeAlarms(clock).set, askTimeoutMs: ASK_TIMEOUT_MS, maxWaiting: 100 };
  return new LeasedConcurrencyCap(0 as CapId, capacity, options, () => {});
});

/** What a take comes to when every message has been delivered. */
async function taken(world: LeaseWorld, worker: LeaseWorker): Promise<boolean | null> {
  const result = worker.cap.take();
  await world.settle();
  return result;
}

describe('LeasedConcurrencyCap', () => {
  it('gets an idle place from another worker', async () => {
    const world = new LeaseWorld({ workers: 2, places: 1 });
    const [one, other] = [world.workers[0]!, world.workers[1]!];
    expect(await taken(world, one)).toBe(true);
    expect(await taken(world, other)).toBe(false);
    one.cap.release();
    world.clock.advance(20);
    expect(await taken(world, other)).toBe(true);
    expect([one.cap.inFlight, other.cap.inFlight, world.places.lent(CAP)]).toEqual([0, 1, 1]);
  });

  it('gives a place that others wanted back as soon as it falls free', async () => {
    const world = new LeaseWorld({ workers: 2, places: 2 });
    const [one, other] = [world.workers[0]!, world.workers[1]!];
    expect([await taken(world, one), await taken(world, one), await taken(world, other)]).toEqual([true, true, false]);
    one.cap.release();
    await world.settle();
    expect(world.places.lent(CAP)).toBe(1);
  });

  it('remembers a refusal for a moment, so that a flood over the cap asks nobody', async () => {
    const world = new LeaseWorld({ workers: 2, places: 1 });
    expect(await taken(world, world.workers[0]!)).toBe(true);
    const { cap, wire } = world.workers[1]!;
    expect(await taken(world, world.workers[1]!)).toBe(false);
    const { sent } = wire;
    for (let i = 0; i < 1_000; i++) expect(cap.take()).toBe(false);
    expect(wire.sent).toBe(sent);
  });

  it('answers on the spot while it has places, and has asked for more before they are gone', async () => {
    const world = new LeaseWorld({ workers: 2, places: 1_000 });
    const { cap, wire } = world.workers[0]!;
    expect(await taken(world, world.workers[0]!)).toBe(true);
    for (let i = 0; i < 900; i++) {
      expect(cap.take()).toBe(true);
      await world.settle();
    }
    expect(wire.sent).toBeLessThan(60);
  });

  it('cannot judge when the office is silent, and says so at once until it is worth asking again', async () => {
    const world = new LeaseWorld({ workers: 1, places: 5 });
    const { cap, wire } = world.workers[0]!;
    const takes = [cap.take(), cap.take()];
    world.alarms.advance(ASK_TIMEOUT_MS);
    expect(await Promise.all(takes)).toEqual([null, null]);
    expect(cap.take()).toBeNull();
    // What the office granted too late has gone back.
    await world.settle();
    expect(world.places.lent(CAP)).toBe(0);
    world.alarms.advance(ASK_TIMEOUT_MS);
    expect(await taken(world, world.workers[0]!)).toBe(true);
    expect([wire.length, world.alarms.size]).toEqual([0, 0]);
  });

  it('gives back what it has not needed for a while', async () => {
    const world = new LeaseWorld({ workers: 2, places: 100 });
    const { cap } = world.workers[0]!;
    expect(await taken(world, world.workers[0]!)).toBe(true);
    expect(world.places.lent(CAP)).toBeGreaterThan(10);
    world.sweep();
    await world.settle();
    expect(world.places.lent(CAP)).toBe(1);
    cap.release();
    world.sweep();
    world.sweep();
    await world.settle();
    expect(world.places.lent(CAP)).toBe(0);
  });

  it('frees the places of a worker that dies, and answers those who waited for it', async () => {
    const world = new LeaseWorld({ workers: 3, places: 2 });
    const [dying, waiting] = [world.workers[0]!, world.workers[1]!];
    expect([await taken(world, dying), await taken(world, dying)]).toEqual([true, true]);
    const wait = waiting.cap.take();
    waiting.wire.deliver();
    await tick();
    dying.wire.lose();
    world.places.forget(0);
    await world.settle();
    expect(await wait).toBe(true);
    expect(world.places.lent(CAP)).toBe(1);
  });

  it('never has more in flight over all workers than its places, and gets them all back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12 }), steps, async (count, places, script) => {
        const world = new LeaseWorld({ workers: count, places });
        const inFlight = (): number => world.workers.reduce((sum, worker) => sum + worker.cap.inFlight, 0);
        for (const step of script) {
          const worker = world.workers[step.worker % count]!;
          if (step.is === 'take') void worker.cap.take();
          else if (step.is === 'release' && worker.cap.inFlight > 0) worker.cap.release();
          else if (step.is === 'deliver') worker.wire.deliver();
          else if (step.is === 'settle') await world.settle();
          else if (step.is === 'sweep') worker.sweep();
          else if (step.is === 'wait') world.alarms.advance(15);
          else if (step.is === 'die') world.restart(step.worker % count);
          await tick();
          expect(inFlight()).toBeLessThanOrEqual(places);
          expect(world.places.lent(CAP)).toBeLessThanOrEqual(places);
        }
        for (let i = 0; i < 3; i++) {
          await world.settle();
          world.alarms.advance(ASK_TIMEOUT_MS);
        }
        for (const worker of world.workers) while (worker.cap.inFlight > 0) worker.cap.release();
        world.clock.advance(200);
        for (let i = 0; i < 2; i++) world.sweep();
        await world.settle();
        expect(world.places.lent(CAP)).toBe(0);
      }),
      { seed: 20_260, numRuns: 200 },
    );
  });
});

const steps = fc.array(
  fc.record({
    is: fc.constantFrom('take', 'take', 'take', 'release', 'deliver', 'deliver', 'settle', 'wait', 'sweep', 'die'),
    worker: fc.integer({ min: 0, max: 2 }),
  }),
  { maxLength: 80, size: 'max' },
);
