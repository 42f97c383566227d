import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { LinePace } from '../../../src/limits/line-pace.ts';

const at = (ms: number): Millis => ms as Millis;
const patient = { leftMs: 60_000, maxAgeMs: 1_000, inFlight: 4 };

/** Places that become free every `gapMs` until `untilMs`, in a line that began then. */
function paceOf(gapMs: number, untilMs = gapMs * 100): LinePace {
  const pace = new LinePace();
  pace.full(at(0));
  for (let ms = gapMs; ms <= untilMs; ms += gapMs) pace.moved(at(ms));
  pace.lined(at(untilMs));
  return pace;
}

describe('LinePace', () => {
  it('foretells nothing from a few calls, and lets all wait', () => {
    const pace = paceOf(100, 700);
    expect(pace.waitMs(50, at(700))).toBe(0);
    expect(pace.isInTime({ ...patient, waitMs: 0, leftMs: 1 }, at(700))).toBe(true);
  });

  it('knows the mean gap, of steady turns as of those that come in batches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 16 }), (gapMs, batch) => {
        const pace = new LinePace();
        pace.full(at(0));
        for (let turn = batch; turn <= 1_600; turn += batch) for (let i = 0; i < batch; i++) pace.moved(at(turn * gapMs));
        const endMs = at(Math.trunc(1_600 / batch) * batch * gapMs);
        expect(pace.waitMs(0, endMs)).toBeGreaterThan(0.5 * gapMs);
        expect(pace.waitMs(0, endMs)).toBeLessThan(1.5 * gapMs);
        expect(pace.waitMs(9, endMs)).toBeCloseTo(10 * pace.waitMs(0, endMs));
      }),
      { seed: 20_260 },
    );
  });

  it('notices that no turns come any more before the next does, and forgets what it knew of long ago', () => {
    const pace = paceOf(10);
    expect(pace.waitMs(9, at(1_000 + 640))).toBeGreaterThan(250);
    pace.full(at(20_000));
    expect(pace.waitMs(9, at(20_000))).toBe(0);
  });

  it('counts no time in which places were free', () => {
    const pace = paceOf(10);
    pace.full(at(4_000));
    pace.moved(at(4_010));
    expect(pace.waitMs(0, at(4_010))).toBeCloseTo(10);
  });

  it('says no where the turn would come too late, or the answer after it', () => {
    const pace = paceOf(10);
    const ask = (waitMs: number, leftMs: number, inFlight = 4): boolean =>
      pace.isInTime({ waitMs, leftMs, maxAgeMs: 1_000, inFlight }, at(1_000));
    expect([ask(999, 5_000), ask(1_000, 5_000)]).toEqual([true, false]);
    expect([ask(160, 200), ask(161, 200)]).toEqual([true, false]);
    // A call of 400 ms is what most take, and this one may be short.
    expect([ask(50, 200, 40), ask(51, 200, 40)]).toEqual([true, false]);
  });

  it('keeps a line short that has stood for a while: to a call or to 50 ms', () => {
    const pace = paceOf(10);
    const ask = (waitMs: number, inFlight: number, ms: number): boolean =>
      pace.isInTime({ ...patient, waitMs, inFlight }, at(1_000 + ms));
    expect([ask(500, 4, 99), ask(500, 4, 100)]).toEqual([true, false]);
    pace.moved(at(1_100));
    expect([ask(50, 1, 100), ask(51, 1, 100), ask(200, 30, 100)]).toEqual([true, false, true]);
  });
});
