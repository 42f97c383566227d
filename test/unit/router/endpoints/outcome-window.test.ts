import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutcomeWindow } from '../../../../src/router/endpoints/outcome-window.ts';

describe('a window of outcomes', () => {
  it('counts what a list of all outcomes would, in slots of a tenth', () => {
    const events = fc.array(fc.record({ afterMs: fc.nat(400), good: fc.boolean() }), { maxLength: 200 });
    fc.assert(
      fc.property(events, fc.nat(3_000), (list, laterMs) => {
        const window = new OutcomeWindow(1_000);
        const all: { slot: number; good: boolean }[] = [];
        let nowMs = 0;
        for (const { afterMs, good } of list) {
          nowMs += afterMs;
          window.note(good, nowMs);
          all.push({ slot: Math.floor(nowMs / 100), good });
        }
        nowMs += laterMs;
        const recent = all.filter(({ slot }) => slot > Math.floor(nowMs / 100) - 10);
        window.sum(nowMs);
        expect([window.good, window.bad]).toEqual([
          recent.filter(({ good }) => good).length,
          recent.filter(({ good }) => !good).length,
        ]);
        window.clear();
        window.sum(nowMs);
        expect([window.good, window.bad]).toEqual([0, 0]);
      }),
    );
  });
});
