import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { AdaptiveLimit } from '../../../src/limits/adaptive-limit.ts';
import { RecentLeast } from '../../../src/limits/recent-least.ts';
import { type Backend, QueueSimulation, type Second, seeded } from '../../support/queue-simulation.ts';

const limitOf = (initialLimit = 20): AdaptiveLimit => new AdaptiveLimit({ minLimit: 1, maxLimit: 1_000, initialLimit });
const at = (ms: number): Millis => ms as Millis;
const mean = (seconds: readonly Second[], of: (second: Second) => number): number =>
  seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length;

const fixed = (ms: number) => (): number => ms;
/** Four small requests to one that takes twelve times as long. */
const mixed = (random: () => number): number => (random() < 0.8 ? 5 : 60);

/** Runs for a while and returns the last ten seconds. */
function settled(backend: Backend, limit = limitOf(), seconds = 30): Second[] {
  return new QueueSimulation(limit, backend, seeded(7)).run(seconds).slice(-10);
}

describe('AdaptiveLimit', () => {
  it.each([
    ['ten servers and twice the load', 10, fixed(20), 1_000, 500],
    ['forty servers and three times the load', 40, fixed(20), 6_000, 2_000],
    ['mixed requests and twice the load', 10, mixed, 1_250, 625],
  ])('settles near capacity with %s', (_what, servers, serviceMs, arrivalsPerSecond, capacity) => {
    const seconds = settled({ servers, serviceMs, arrivalsPerSecond });
    expect(mean(seconds, (second) => second.done)).toBeGreaterThan(0.94 * capacity);
    for (const { limit } of seconds) expect(limit).toBeLessThanOrEqual(2.5 * servers);
    const unqueuedMs = (1_000 * servers) / capacity;
    expect(mean(seconds, (second) => second.latencyMs)).toBeLessThan(2 * unqueuedMs);
  });

  it('finds most of the capacity within three seconds from a tenth of it', () => {
    const backend = { servers: 100, serviceMs: fixed(20), arrivalsPerSecond: 10_000 };
    const seconds = new QueueSimulation(limitOf(10), backend, seeded(7)).run(6);
    expect(mean(seconds.slice(3), (second) => second.done)).toBeGreaterThan(0.8 * 5_000);
  });

  it('refuses nobody and does not shrink under a load below capacity', () => {
    for (const serviceMs of [fixed(20), mixed]) {
      const simulation = new QueueSimulation(limitOf(40), { servers: 20, serviceMs, arrivalsPerSecond: 400 }, seeded(7));
      for (const second of simulation.run(30)) {
        expect(second.refused).toBe(0);
        expect(second.limit).toBeGreaterThanOrEqual(30);
      }
    }
  });

  it('is back at what the servers can do within ten seconds after each call takes ten times as long, and after that is over', () => {
    const backend: Backend = { servers: 10, serviceMs: fixed(20), arrivalsPerSecond: 1_000 };
    const simulation = new QueueSimulation(limitOf(), backend, seeded(7));
    simulation.run(10);
    backend.serviceMs = fixed(200);
    simulation.run(10);
    const slow = simulation.run(5);
    expect(mean(slow, (second) => second.done)).toBeGreaterThan(0.9 * 50);
    expect(mean(slow, (second) => second.latencyMs)).toBeLessThan(2 * 200);
    backend.serviceMs = fixed(20);
    simulation.run(3);
    expect(mean(simulation.run(5), (second) => second.done)).toBeGreaterThan(0.95 * 500);
  });

  it('shrinks window by window while the backend says that it is overloaded, and not for a single failure among many', () => {
    const limit = limitOf(100);
    let nowMs = 1_000;
    for (let i = 0; i < 300; i++) {
      if (i === 50) limit.overloaded(100, at(nowMs));
      limit.succeeded(20_000, 60, at(nowMs++));
    }
    expect(limit.limit).toBeGreaterThanOrEqual(100);
    const before = limit.limit;
    for (let i = 0; i < 650; i++) limit.overloaded(100, at(nowMs++));
    expect(limit.limit).toBeLessThanOrEqual(before * 0.52);
  });

  it('stays within its bounds, whatever is measured', () => {
    const sample = fc.record({
      latencyUs: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100_000_000 })),
      inFlight: fc.integer({ min: 0, max: 200 }),
      afterMs: fc.integer({ min: -5, max: 400 }),
      overloaded: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 100 }),
        fc.array(sample, { maxLength: 300, size: 'max' }),
        (least, more, all) => {
          const limit = new AdaptiveLimit({ minLimit: least, maxLimit: least + more, initialLimit: least });
          let nowMs = 0;
          for (const one of all) {
            nowMs += one.afterMs;
            if (one.overloaded) limit.overloaded(one.inFlight, at(nowMs));
            else limit.succeeded(one.latencyUs, one.inFlight, at(nowMs));
            expect(limit.limit).toBeGreaterThanOrEqual(least);
            expect(limit.limit).toBeLessThanOrEqual(least + more);
            expect(Number.isInteger(limit.limit)).toBe(true);
          }
        },
      ),
      { seed: 20_260, numRuns: 50 },
    );
  });

  it('refuses bounds that are none', () => {
    expect(() => new AdaptiveLimit({ minLimit: 5, maxLimit: 4, initialLimit: 5 })).toThrow('limits 5, 5, 4');
    expect(() => new AdaptiveLimit({ minLimit: 0, maxLimit: 4, initialLimit: 1 })).toThrow('limits 0, 1, 4');
  });
});

describe('RecentLeast', () => {
  it('agrees with a list of all values of the last five slots', () => {
    const step = fc.record({ value: fc.integer({ min: 1, max: 1_000 }), afterMs: fc.integer({ min: 0, max: 500 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const least = new RecentLeast(500);
        const noted: { value: number; slot: number }[] = [];
        let nowMs = 0;
        for (const { value, afterMs } of steps) {
          nowMs += afterMs;
          const slot = Math.floor(nowMs / 100);
          noted.push({ value, slot });
          const recent = noted.filter((one) => one.slot > slot - 5).map((one) => one.value);
          expect(least.note(value, at(nowMs))).toBe(Math.min(...recent));
        }
      }),
      { seed: 20_260 },
    );
  });
});
