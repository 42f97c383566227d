import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pending } from '../../../src/core/backend.ts';
import { CallOutcome, type Turn } from '../../../src/core/gate.ts';
import { millis } from '../../../src/core/units.ts';
import { AdaptiveLimit } from '../../../src/limits/adaptive-limit.ts';
import { FairQueue } from '../../../src/limits/fair-queue.ts';
import { VariantGate } from '../../../src/limits/variant-gate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const noAlarm = () => () => undefined;
const wish = { tenant: 't', priority: 3, cost: 1, deadlineMs: millis(1e9) };

function gateOf(maxInFlight: number, maxEntries = 0): VariantGate {
  const clock = new FakeClock();
  const queue = maxEntries === 0 ? null : new FairQueue<Turn>({ clock, setAlarm: noAlarm, maxEntries, maxAgeMs: 1e6 });
  return new VariantGate({ clock, maxInFlight, adaptive: null, queue });
}

const turn = (log: string[], name: string): Turn => ({
  admitted: () => void log.push(`${name} in`),
  refused: (reason) => void log.push(`${name} ${reason}`),
});

describe('VariantGate', () => {
  it('lets in as many as there are places', () => {
    const gate = gateOf(2);
    expect([gate.enter(), gate.enter(), gate.enter(), gate.inFlight]).toEqual([true, true, false, 2]);
    gate.leave(CallOutcome.Answered, 5);
    expect(gate.enter()).toBe(true);
  });

  it('takes back no more than it gave', () => {
    const gate = gateOf(1);
    gate.leave(CallOutcome.Other, 0);
    expect([gate.inFlight, gate.enter(), gate.enter()]).toEqual([0, true, false]);
  });

  it('keeps copies out before it is full, and while anybody waits', () => {
    const gate = gateOf(10, 4);
    for (let i = 0; i < 8; i++) gate.enter();
    expect(gate.enterSpare()).toBe(false);
    gate.leave(CallOutcome.Other, 0);
    expect(gate.enterSpare()).toBe(true);
    expect(gateOf(1).enterSpare()).toBe(true);
  });

  it('lets nobody past those who wait', () => {
    const log: string[] = [];
    const gate = gateOf(1, 4);
    gate.enter();
    gate.queue(turn(log, 'a'), wish);
    expect([gate.enter(), gate.waiting]).toEqual([false, 1]);
    gate.leave(CallOutcome.Other, 0);
    expect([log, gate.inFlight, gate.waiting]).toEqual([['a in'], 1, 0]);
  });

  it('has no line where nothing is in flight that could call it', () => {
    expect(gateOf(1, 4).queue(turn([], 'a'), wish)).toBeNull();
  });

  it('refuses its whole line when asked to, and keeps the places of those who are in', () => {
    const log: string[] = [];
    const gate = gateOf(1, 4);
    gateOf(1).dismiss();
    gate.enter();
    gate.queue(turn(log, 'a'), wish);
    gate.queue(turn(log, 'b'), wish);
    gate.dismiss();
    expect([log, gate.inFlight, gate.waiting]).toEqual([['a closed', 'b closed'], 1, 0]);
    gate.leave(CallOutcome.Other, 0);
    expect([log.length, gate.enter()]).toEqual([2, true]);
  });

  it('calls a whole line whose turns give their places back at once, without one inside the other', () => {
    const gate = gateOf(1, 10_000);
    gate.enter();
    let depth = 0;
    let deepest = 0;
    for (let i = 0; i < 5_000; i++) {
      const one: Turn = {
        admitted: () => {
          deepest = Math.max(deepest, ++depth);
          gate.leave(CallOutcome.Other, 0);
          depth--;
        },
        refused: () => undefined,
      };
      gate.queue(one, wish);
    }
    gate.leave(CallOutcome.Other, 0);
    expect([gate.waiting, gate.inFlight, deepest]).toEqual([0, 0, 1]);
  });

  it('follows an adaptive limit, below the most there may be', () => {
    const clock = new FakeClock();
    const adaptive = new AdaptiveLimit({ minLimit: 1, initialLimit: 4, maxLimit: 100 });
    const gate = new VariantGate({ clock, maxInFlight: 3, adaptive, queue: null });
    expect(gate.limit).toBe(3);
    for (let i = 0; i < 400; i++) {
      gate.enter();
      clock.advance(20);
      gate.leave(CallOutcome.Overloaded, 0);
    }
    expect(gate.limit).toBe(1);
  });

  it('never holds more than its places and never leaves one empty while somebody waits', () => {
    const acts = fc.array(fc.record({ do: fc.constantFrom('come', 'leave', 'cancel', 'copy'), pick: fc.nat(20) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), acts, (places, script) => {
        const gate = gateOf(places, 5);
        let inside = 0;
        const waiting = new Map<string, Pending>();
        let n = 0;
        for (const act of script) {
          if (act.do === 'come') {
            const name = String(n++);
            if (gate.enter()) inside++;
            else {
              const turned: Turn = {
                admitted: () => {
                  waiting.delete(name);
                  inside++;
                },
                refused: () => void waiting.delete(name),
              };
              const entry = gate.queue(turned, wish);
              if (entry !== null) waiting.set(name, entry);
            }
          } else if (act.do === 'copy') inside += gate.enterSpare() ? 1 : 0;
          else if (act.do === 'leave' && inside > 0) {
            inside--;
            gate.leave(CallOutcome.Other, 0);
          } else if (act.do === 'cancel') {
            const [name, entry] = [...waiting][act.pick % Math.max(1, waiting.size)] ?? ['', null];
            entry?.cancel();
            waiting.delete(name);
          }
          expect([gate.inFlight, gate.waiting]).toEqual([inside, waiting.size]);
          expect(inside).toBeLessThanOrEqual(places);
          if (waiting.size > 0) expect(inside).toBe(places);
        }
      }),
    );
  });
});
