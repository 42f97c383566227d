import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixed, GateSimulation, lognormal, type Told, type World } from '../../support/gate-simulation.ts';

/** A gate with its limit and its line before a backend, in front of callers who do not wait for each other. */

const FIXED = null;
const ADAPTIVE = { least: 16, first: 64 };
const count = (told: readonly Told[], ...fates: Told['fate'][]): number => told.filter(({ fate }) => fates.includes(fate)).length;

function percentileMs(told: readonly Told[], share: number): number {
  const times = told.filter(({ fate }) => fate === 'good').map(({ tookMs }) => tookMs);
  return times.sort((a, b) => a - b)[Math.floor(times.length * share)]!;
}

function worldOf(servers: number, serviceMs: World['serviceMs'], adaptive: World['adaptive'], seed = 7): World {
  return { servers, serviceMs, adaptive, seed, maxInFlight: adaptive === FIXED ? servers : 1_024 };
}

describe('a gate under more than its backend can do', () => {
  const cases = [1.1, 1.5, 2, 5].flatMap((factor) =>
    [
      [8, 20, FIXED],
      [64, 20, FIXED],
      [8, 20, ADAPTIVE],
      [64, 10, ADAPTIVE],
      [16, 50, ADAPTIVE],
    ].map(([servers, ms, adaptive]) => [factor, servers as number, ms as number, adaptive as World['adaptive']] as const),
  );

  it.each(cases)(
    'at %d times the load of %d servers of %d ms answers what can be answered in time, soon, and refuses the others at once (%o)',
    (factor, servers, ms, adaptive) => {
      const sim = new GateSimulation(worldOf(servers, fixed(ms), adaptive));
      const perSecond = (1_000 * servers) / ms;
      const deadlineMs = (): number => 10 * ms;
      sim.come({ perSecond: 0.5 * perSecond, forMs: 2_000, deadlineMs });
      sim.run(2_000);
      sim.come({ perSecond: factor * perSecond, forMs: 12_000, deadlineMs });
      const onset = sim.run(4_000);
      const told = sim.run(8_000);
      expect(count([...onset, ...told], 'good')).toBeGreaterThan(0.95 * 12 * perSecond);
      // Nobody waits for a refusal, but for those of the first moment, when the line has just begun.
      expect(count(onset, 'dismissed', 'cut')).toBeLessThan(0.5 * factor * perSecond);
      expect(count(told, 'dismissed', 'cut')).toBeLessThan(0.01 * told.length);
      // Two and a half calls, or three with the least limit of twice the servers; a limit that is given has no queue behind it.
      const bound = adaptive === FIXED ? 2 : 3.2;
      if (factor >= 1.5) expect(percentileMs(told, 0.5)).toBeLessThan(bound * ms);
      sim.run(500);
      sim.come({ perSecond: 0.5 * perSecond, forMs: 5_000, deadlineMs });
      const after = sim.run(6_000);
      expect(count(after, 'good')).toBe(after.length);
    },
  );

  it('before slow servers keeps callers with all the time in the world for about twice a call, and thrice at most', () => {
    for (const factor of [1.5, 3]) {
      const sim = new GateSimulation(worldOf(16, fixed(200), ADAPTIVE));
      sim.come({ perSecond: factor * 80, forMs: 60_000 });
      sim.run(20_000);
      const told = sim.run(40_000);
      expect(count(told, 'good')).toBeGreaterThan(0.95 * 80 * 40);
      expect(percentileMs(told, 0.5)).toBeLessThan(2.1 * 200);
      expect(percentileMs(told, 0.99)).toBeLessThan(3 * 200);
    }
  });

  it('lets a more urgent caller in and no flood of one tenant before another', () => {
    const sim = new GateSimulation(worldOf(8, fixed(20), ADAPTIVE));
    sim.come({ perSecond: 1_600, forMs: 15_000, tenant: () => 'flood' });
    sim.come({ perSecond: 100, forMs: 15_000, tenant: () => 'small' });
    sim.come({ perSecond: 50, forMs: 15_000, tenant: () => 'urgent', priority: 7 });
    sim.run(3_000);
    const told = sim.run(11_000);
    const shareOf = (tenant: string): number => {
      const own = told.filter((one) => one.tenant === tenant);
      return count(own, 'good') / own.length;
    };
    expect(shareOf('urgent')).toBe(1);
    expect(shareOf('small')).toBeGreaterThan(0.8);
    expect(shareOf('flood')).toBeGreaterThan(0.12);
  });
});

describe('bursts that together are less than the backend can do', () => {
  const PLACES = 32;
  const EVERY_MS = 100;
  const slow =
    (from: GateSimulation, startMs: number, endMs: number): World['serviceMs'] =>
    (random) =>
      20 * (0.8 + 0.4 * random()) * (from.nowMs >= startMs && from.nowMs < endMs ? 10 : 1);

  /** A hundred at once each tenth of a second: 62 % of what 32 servers of 20 ms can do. */
  function bursts(sim: GateSimulation, count: number, between: () => void = () => undefined): Told[] {
    const since = sim.told.length;
    for (let n = 0; n < count; n++) {
      sim.burst(100, { tenant: () => 'steady', deadlineMs: () => 10_000 });
      between();
      sim.run(EVERY_MS);
    }
    return sim.told.slice(since).filter(({ tenant }) => tenant === 'steady');
  }

  it('are all served again within seconds after the backend was slow for a while: a short line does not keep itself short', () => {
    const sim = new GateSimulation(worldOf(PLACES, fixed(20), FIXED));
    const startMs = sim.nowMs;
    sim.world.serviceMs = slow(sim, startMs + 5_000, startMs + 10_000);
    const before = bursts(sim, 50);
    expect(count(before, 'good')).toBe(before.length);
    const during = bursts(sim, 50);
    expect(count(during, 'refused')).toBeGreaterThan(0.5 * during.length);
    bursts(sim, 60);
    const after = bursts(sim, 150);
    expect(count(after, 'refused', 'dismissed', 'cut')).toBe(0);
  });

  it('lose nobody to a tenant whose callers have no time to wait', () => {
    const sim = new GateSimulation(worldOf(PLACES, fixed(20), FIXED));
    sim.world.serviceMs = slow(sim, 0, 0);
    const hurried = (): void => {
      for (let i = 2; i < 7; i++)
        sim.events.add(sim.nowMs + i, () => void sim.burst(1, { tenant: () => 'hurried', deadlineMs: () => 8 }));
    };
    bursts(sim, 20);
    const told = [...bursts(sim, 50, hurried), ...bursts(sim, 50)];
    expect(count(sim.told, 'refused')).toBeGreaterThan(0);
    expect(count(told, 'refused', 'dismissed', 'cut')).toBe(0);
  });
});

describe('a burst before a healthy backend', () => {
  it('loses nobody who has the time to wait, in whatever way it comes', () => {
    const burst = fc.record({
      servers: fc.constantFrom(1, 2, 4, 8, 16, 64),
      ms: fc.constantFrom(1, 5, 20, 50),
      sigma: fc.constantFrom(0, 0, 0.3),
      adaptive: fc.constantFrom(FIXED, ADAPTIVE),
      size: fc.constantFrom(100, 200, 500, 1_000),
      /** Of the load there is all the while. */
      background: fc.constantFrom(0, 0, 0.5, 0.8),
      overMs: fc.constantFrom(0, 0, 50, 200),
      /** Before the first call is answered. */
      coldMs: fc.constantFrom(0, 0, 200),
      seed: fc.nat(1_000),
    });
    fc.assert(
      fc.property(burst, ({ servers, ms, sigma, adaptive, size, background, overMs, coldMs, seed }) => {
        const perSecond = (1_000 * servers) / ms;
        const waitMs = (1_000 * size) / perSecond + coldMs;
        fc.pre(waitMs < 10_000);
        const line = { maxEntries: 20_000, maxAgeMs: Math.max(1_000, 1.5 * waitMs) };
        const sim = new GateSimulation({
          ...worldOf(servers, lognormal(ms * Math.exp(-(sigma ** 2) / 2), sigma), adaptive, seed),
          line,
        });
        const emptyMs = waitMs / (1 - background) + overMs + 500;
        if (background > 0) sim.come({ perSecond: background * perSecond, forMs: 1_000 + emptyMs });
        sim.run(1_000);
        if (coldMs > 0) sim.freeze(coldMs);
        if (overMs === 0) sim.burst(size);
        else sim.come({ perSecond: (1_000 * size) / overMs, forMs: overMs });
        const told = sim.run(2 * emptyMs);
        expect(told.filter(({ fate }) => fate !== 'good')).toEqual([]);
      }),
      { seed: 20_260, numRuns: 40 },
    );
  });

  it('in front of a gateway that has served nothing yet, whose first calls are slow, loses nobody', () => {
    const sim = new GateSimulation(worldOf(64, fixed(2), ADAPTIVE));
    sim.freeze(300);
    for (let n = 0; n < 5; n++) {
      sim.burst(100);
      sim.run(20);
    }
    sim.run(1_000);
    expect(count(sim.told, 'good')).toBe(500);
  });
});
