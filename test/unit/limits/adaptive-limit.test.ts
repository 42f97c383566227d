import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { AdaptiveLimit } from '../../../src/limits/adaptive-limit.ts';
import { fixed, GateSimulation, lognormal, type Told, type World } from '../../support/gate-simulation.ts';

const limitOf = (initialLimit = 20): AdaptiveLimit => new AdaptiveLimit({ minLimit: 1, maxLimit: 1_000, initialLimit });
const at = (ms: number): Millis => ms as Millis;
/** Four small requests to one that takes twelve times as long. */
const mixed = (random: () => number): number => (random() < 0.8 ? 5 : 60);
const good = (told: readonly Told[]): number => told.filter(({ fate }) => fate === 'good').length;
/** Of calls, without the wait in line before them. */
const meanMs = (told: readonly Told[]): number =>
  told.reduce((sum, { fate, tookMs, waitedMs }) => sum + (fate === 'good' ? tookMs - waitedMs : 0), 0) / good(told);

/** Without a line, so that whoever is not let in is refused. */
const simulation = (world: World): GateSimulation =>
  new GateSimulation({ line: null, adaptive: { least: 2, first: 20 }, ...world });

function spread(limits: readonly number[]): number {
  const mean = limits.reduce((sum, limit) => sum + limit, 0) / limits.length;
  return Math.sqrt(limits.reduce((sum, limit) => sum + (limit - mean) ** 2, 0) / limits.length) / mean;
}

const BACKENDS = [
  ['steady calls', fixed(20), 20],
  ['calls that differ', lognormal(20, 0.5), 22.7],
  ['calls that differ greatly', lognormal(20, 1), 33],
  ['two kinds of calls', mixed, 16],
] as const;

describe('AdaptiveLimit', () => {
  it.each(
    BACKENDS.flatMap(([what, serviceMs, meanServiceMs]) =>
      [1.2, 2, 5].map((factor) => [factor, what, serviceMs, meanServiceMs] as const),
    ),
  )(
    'at %d times the load with %s serves what can be served, about as fast, and stays where it is',
    (factor, _what, serviceMs, mean) => {
      const perSecond = (1_000 * 10) / mean;
      const sim = new GateSimulation({ servers: 10, serviceMs, adaptive: { least: 2, first: 20 } });
      sim.come({ perSecond: perSecond * factor, forMs: 60_000 });
      sim.run(20_000);
      const before = sim.limits.length;
      const told = sim.run(40_000);
      expect(good(told)).toBeGreaterThan(0.93 * perSecond * 40);
      expect(meanMs(told)).toBeLessThan(2 * mean);
      expect(spread(sim.limits.slice(before))).toBeLessThan(0.15);
    },
  );

  it('finds most of the capacity within three seconds from a tenth of it', () => {
    const sim = simulation({ servers: 100, serviceMs: fixed(20), adaptive: { least: 1, first: 10 } });
    sim.come({ perSecond: 10_000, forMs: 6_000 });
    sim.run(3_000);
    expect(good(sim.run(3_000))).toBeGreaterThan(0.8 * 5_000 * 3);
  });

  it.each(BACKENDS)('refuses nobody under half the load with %s, whatever pauses the backend makes', (_what, serviceMs, mean) => {
    const sim = new GateSimulation({ servers: 20, serviceMs, adaptive: { least: 2, first: 64 } });
    sim.come({ perSecond: (0.5 * 1_000 * 20) / mean, forMs: 40_000 });
    for (let n = 0; n < 40; n++) {
      sim.freeze(n % 2 === 0 ? 50 + 150 * sim.random() : 0);
      expect(sim.run(1_000).filter(({ fate }) => fate !== 'good')).toEqual([]);
    }
    // Twice what is in flight.
    expect(Math.min(...sim.limits)).toBeGreaterThanOrEqual(20);
  });

  it.each([
    [16, 40, 100, 128, 16],
    [10, 20, 400, 20, 2],
    [64, 10, 3_000, 64, 16],
    [200, 20, 4_000, 64, 16],
  ])(
    'before %d servers is at home within ten seconds after each call of %d ms takes ten times as long, and when that is over',
    (servers, ms, perSecond, first, least) => {
      const sim = simulation({ servers, serviceMs: fixed(ms), adaptive: { least, first } });
      sim.come({ perSecond, forMs: 60_000 });
      sim.run(10_000);
      sim.world.serviceMs = fixed(10 * ms);
      sim.run(10_000);
      const slow = sim.run(20_000);
      expect(good(slow)).toBeGreaterThan(0.88 * 20 * ((servers * 1_000) / (10 * ms)));
      expect(meanMs(slow)).toBeLessThan(2.2 * 10 * ms);
      sim.world.serviceMs = fixed(ms);
      sim.run(2_000);
      const told = sim.run(10_000);
      expect(good(told)).toBe(told.length);
    },
  );

  it.each(BACKENDS)('comes up from two in front of a healthy backend with %s', (_what, serviceMs, mean) => {
    const sim = simulation({ servers: 64, serviceMs, adaptive: { least: 2, first: 2 } });
    sim.come({ perSecond: (0.3 * 1_000 * 64) / mean, forMs: 60_000 });
    sim.run(6_000);
    const told = sim.run(10_000);
    expect(good(told)).toBeGreaterThan(0.99 * told.length);
  });

  it('comes up again from its least where the backend has stayed slower than it was, with room for more calls', () => {
    const sim = simulation({ servers: 64, serviceMs: fixed(20), adaptive: { least: 2, first: 20 } });
    sim.come({ perSecond: 600, forMs: 60_000 });
    sim.run(5_000);
    // All refused as busy for a while.
    sim.world.isBusy = true;
    sim.run(5_000);
    expect(sim.gate.limit).toBe(2);
    sim.world.isBusy = false;
    sim.world.serviceMs = fixed(50);
    sim.run(10_000);
    const told = sim.run(10_000);
    expect(good(told)).toBe(told.length);
  });

  it('comes down from a limit with which every call would be cut before its answer', () => {
    const sim = simulation({ servers: 4, serviceMs: fixed(20), adaptive: { least: 2, first: 128 } });
    sim.come({ perSecond: 1_000, forMs: 20_000, deadlineMs: () => 200 });
    sim.run(10_000);
    expect(good(sim.run(10_000))).toBeGreaterThan(0.9 * 200 * 10);
  });

  it('is not made small by callers in a hurry', () => {
    const sim = simulation({ servers: 40, serviceMs: fixed(20), adaptive: { least: 2, first: 64 } });
    // Two in five give up after half of what an answer takes; their servers work on, and are missing among the forty.
    sim.come({ perSecond: 6_000, forMs: 10_000, deadlineMs: (random) => (random() < 0.4 ? 10 : 1_000) });
    sim.run(10_000);
    expect(sim.gate.limit).toBeGreaterThanOrEqual(28);
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
      outcome: fc.constantFrom('answered', 'cut', 'overloaded'),
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
            if (one.outcome === 'overloaded') limit.overloaded(one.inFlight, at(nowMs));
            else if (one.outcome === 'cut') limit.cut(one.latencyUs, one.inFlight, at(nowMs));
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
