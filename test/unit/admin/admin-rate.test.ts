import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdminRate } from '../../../src/admin/admin-rate.ts';

describe('the rate of the admin port', () => {
  it('lets strangers use up their own share alone', () => {
    const rate = new AdminRate(3, () => 0);
    expect([1, 2, 3, 4].map(() => rate.take(false))).toEqual([true, true, true, false]);
    expect(rate.take(true)).toBe(true);
  });

  it('never answers more in any time than a second holds and what came since, whatever the clock does', () => {
    const steps = fc.array(fc.integer({ min: -500, max: 900 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, (perSecond, waits) => {
        let nowMs = 10_000;
        let earliestMs = nowMs;
        let latestMs = nowMs;
        const rate = new AdminRate(perSecond, () => nowMs);
        let answered = 0;
        for (const waitMs of waits) {
          nowMs += waitMs;
          earliestMs = Math.min(earliestMs, nowMs);
          latestMs = Math.max(latestMs, nowMs);
          if (rate.take(false)) answered++;
          expect(answered).toBeLessThanOrEqual(perSecond + ((latestMs - earliestMs) / 1000) * perSecond + 1e-6);
        }
      }),
      { seed: 20_265 },
    );
  });
});
