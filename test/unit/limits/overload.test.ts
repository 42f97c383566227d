import { describe, expect, it } from 'vitest';
import type { Turn } from '../../../src/core/gate.ts';
import { AdaptiveLimit } from '../../../src/limits/adaptive-limit.ts';
import { FairQueue } from '../../../src/limits/fair-queue.ts';
import { VariantGate } from '../../../src/limits/variant-gate.ts';
import { FakeAlarms } from '../../support/fake-alarms.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { GateSimulation, type Load } from '../../support/gate-simulation.ts';
import { seeded } from '../../support/queue-simulation.ts';

const CAPACITY = 400;
const SECONDS = 10;
const load = (factor: number, over: Partial<Load> = {}): Load => ({
  servers: 8,
  serviceMs: 20,
  perSecond: CAPACITY * factor,
  deadlineMs: () => 200,
  ...over,
});

function simulation(initialLimit = 64): { simulation: GateSimulation; adaptive: AdaptiveLimit } {
  const clock = new FakeClock(1_000);
  const alarms = new FakeAlarms(clock);
  const adaptive = new AdaptiveLimit({ minLimit: 4, initialLimit, maxLimit: 1_024 });
  const queue = new FairQueue<Turn>({ clock, setAlarm: alarms.set, maxEntries: 512, maxAgeMs: 1_000 });
  const gate = new VariantGate({ clock, maxInFlight: 1_024, adaptive, queue });
  return { simulation: new GateSimulation(gate, alarms, clock, seeded(7)), adaptive };
}

describe('a gate under more than its backend can do', () => {
  it.each([1.2, 2, 5])(
    'at %d times the capacity answers all that can be answered in time, and refuses the others at once',
    (factor) => {
      const world = simulation();
      world.simulation.run(load(0.5), 2);
      const { good, afterWaiting, atOnce } = world.simulation.run(load(factor), SECONDS);
      expect(good).toBeGreaterThan(0.95 * CAPACITY * SECONDS);
      expect(afterWaiting).toBeLessThan(0.01 * atOnce + 20);
    },
  );

  it('keeps waits short while the overload lasts', () => {
    const world = simulation();
    world.simulation.run(load(3), 2);
    const waitsMs = world.simulation.run(load(3), SECONDS).waitsMs.sort((a, b) => a - b);
    expect(waitsMs[Math.trunc(waitsMs.length / 2)]).toBeLessThan(60);
    expect(waitsMs[Math.trunc(waitsMs.length * 0.99)]).toBeLessThan(120);
  });

  it('comes down from a limit with which no call is answered in time', () => {
    const world = simulation(256);
    world.simulation.run(load(3), 5);
    expect(world.simulation.run(load(3), SECONDS).good).toBeGreaterThan(0.9 * CAPACITY * SECONDS);
  });

  it('lets a burst wait that a caller has the time for', () => {
    const world = simulation(8);
    const patient = { deadlineMs: () => 5_000 };
    world.simulation.run(load(0.9, patient), 2);
    const { atOnce, afterWaiting } = world.simulation.run(load(2, patient), 0.1);
    expect(atOnce + afterWaiting).toBe(0);
  });

  it('finds its way when the backend takes ten times as long, and when that is over', () => {
    const world = simulation();
    const patient = { deadlineMs: () => 2_000 };
    world.simulation.run(load(2, patient), 5);
    world.simulation.run(load(2, { ...patient, serviceMs: 200 }), 10);
    expect(world.simulation.run(load(2, { ...patient, serviceMs: 200 }), 10).good).toBeGreaterThan(0.85 * 400);
    world.simulation.run(load(2, patient), 3);
    expect(world.simulation.run(load(2, patient), 10).good).toBeGreaterThan(0.95 * CAPACITY * 10);
  });

  it('does not let callers in a hurry shrink the limit for the others', () => {
    const random = seeded(11);
    const world = simulation();
    // Two in five give up after 10 ms, half of what an answer takes.
    const mixed = { servers: 40, deadlineMs: () => (random() < 0.4 ? 10 : 1_000) };
    world.simulation.run(load(3, mixed), 10);
    expect(world.adaptive.limit).toBeGreaterThanOrEqual(48);
  });
});
