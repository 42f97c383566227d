import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { LinePace } from '../../../src/limits/line-pace.ts';

const at = (ms: number): Millis => ms as Millis;
const MAX = 500;
const PATIENT_MS = 60_000;

/** A line that always has a hundred in it, with a turn every `gapMs`, and so many refused at each. */
function stand(pace: LinePace, fromMs: number, { gapMs = 10, turns = 100, inFlight = 4, refused = 0 } = {}): number {
  let ms = fromMs;
  for (let i = 0; i < turns; i++) {
    pace.comes(100, inFlight, at(ms));
    for (let n = 0; n < refused; n++) pace.refused();
    ms += gapMs;
    pace.turned(100, at(ms));
  }
  return ms;
}

function paceOf(options: Parameters<typeof stand>[2] = {}): { pace: LinePace; endMs: number } {
  const pace = new LinePace(MAX);
  pace.comes(0, options.inFlight ?? 4, at(1_000));
  return { pace, endMs: stand(pace, 1_000, options) };
}

describe('LinePace', () => {
  it('knows nothing before a line has stood for two windows', () => {
    const { pace, endMs } = paceOf({ turns: 19 });
    expect(pace.isInVain(1_000, 1, 1)).toBe(false);
    stand(pace, endMs, { turns: 1 });
    expect(pace.isInVain(1_000, 1, 1)).toBe(true);
  });

  it('knows how fast turns come, of steady ones as of those that come in lumps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 16 }), (gapMs, lump) => {
        const pace = new LinePace(MAX);
        pace.comes(0, lump, at(1_000));
        for (let n = 1; n <= 200; n++) {
          pace.comes(100, lump, at(1_000 + n * gapMs * lump));
          for (let i = 0; i < lump; i++) pace.turned(100, at(1_000 + n * gapMs * lump));
        }
        expect(pace.isInVain(99, PATIENT_MS, 60 * gapMs)).toBe(true);
        expect(pace.isInVain(99, PATIENT_MS, 150 * gapMs)).toBe(false);
      }),
      { seed: 20_260 },
    );
  });

  it('counts no time in which nobody stood in line', () => {
    const pace = new LinePace(MAX);
    for (let n = 0; n < 100; n++) {
      pace.comes(0, 4, at(1_000 + n * 90));
      pace.turned(0, at(1_010 + n * 90));
    }
    expect(pace.isInVain(49, PATIENT_MS, 600)).toBe(false);
    expect(pace.isInVain(49, PATIENT_MS, 400)).toBe(true);
  });

  it('says who waits in vain: longer than anybody may, or than is left to them less the time of a call', () => {
    const { pace } = paceOf();
    const ask = (ahead: number, leftMs: number): boolean => pace.isInVain(ahead, leftMs, 1_000);
    expect([ask(99, PATIENT_MS), ask(100, PATIENT_MS)]).toEqual([false, true]);
    // Four in flight and a place every ten milliseconds: a call takes forty.
    expect([ask(9, 140), ask(9, 139)]).toEqual([false, true]);
    // Of very little a quarter is left for the line: theirs may be a short call.
    expect([ask(0, 40), ask(0, 39)]).toEqual([false, true]);
  });

  it('of two windows takes the faster one, so that a pause of the backend refuses nobody', () => {
    const { pace, endMs } = paceOf();
    stand(pace, endMs + 300, { turns: 10 });
    expect(pace.isInVain(90, PATIENT_MS, 1_000)).toBe(false);
  });

  it('makes the line short while more are refused than one in twenty turns, down to what bridges chance, and long again afterwards', () => {
    const { pace, endMs } = paceOf({ refused: 1, inFlight: 16, turns: 400 });
    expect(pace.room).toBe(6);
    const laterMs = stand(pace, endMs, { inFlight: 16, turns: 160 });
    expect(pace.room).toBeGreaterThan(30);
    stand(pace, laterMs, { inFlight: 16, turns: 400 });
    expect(pace.room).toBe(MAX);
  });

  it('makes a line that got empty longer, whatever was refused: the refusals may come from its shortness alone', () => {
    const { pace, endMs } = paceOf({ refused: 1, inFlight: 16, turns: 400 });
    expect(pace.room).toBe(6);
    let ms = endMs;
    for (let n = 0; n < 40; n++) {
      pace.comes(0, 16, at(ms));
      ms = stand(pace, ms, { inFlight: 16, turns: 15, refused: 1 });
      pace.turned(0, at(ms));
    }
    expect(pace.room).toBe(MAX);
  });

  it('leaves the line its length for a single refusal', () => {
    const pace = new LinePace(MAX);
    pace.comes(0, 4, at(1_000));
    let ms = 1_000;
    for (let n = 0; n < 20; n++) {
      pace.refused();
      ms = stand(pace, ms, { turns: 10 });
    }
    expect(pace.room).toBe(MAX);
  });

  it('begins anew when nobody has stood in line for a while', () => {
    const { pace, endMs } = paceOf({ refused: 1 });
    pace.comes(0, 4, at(endMs + 99));
    expect([pace.room < MAX, pace.isInVain(1_000, PATIENT_MS, 1_000)]).toEqual([true, true]);
    pace.comes(0, 4, at(endMs + 100));
    expect([pace.room, pace.isInVain(1_000, PATIENT_MS, 1_000)]).toEqual([MAX, false]);
  });
});
