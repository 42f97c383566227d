import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Millis } from '../../../src/core/units.ts';
import { RetryBudget } from '../../../src/limits/retry-budget.ts';

const at = (ms: number): Millis => ms as Millis;

describe('RetryBudget', () => {
  it('allows one retry for ten requests', () => {
    const budget = new RetryBudget({ share: 0.1, perSecond: 0 });
    for (let i = 0; i < 100; i++) budget.requested(at(i));
    let retries = 0;
    while (budget.take(at(100))) retries++;
    expect(retries).toBe(10);
  });

  it('allows a few a second where there is little traffic', () => {
    const budget = new RetryBudget({ share: 0.1, perSecond: 2 });
    let retries = 0;
    for (let ms = 0; ms < 60_000; ms += 100) if (budget.take(at(ms))) retries++;
    expect(retries).toBeGreaterThanOrEqual(120);
    expect(retries).toBeLessThanOrEqual(140);
  });

  it('forgets what is older than its window', () => {
    const budget = new RetryBudget({ share: 0.5, perSecond: 0 });
    for (let i = 0; i < 10; i++) budget.requested(at(0));
    for (let i = 0; i < 5; i++) expect(budget.take(at(9_999))).toBe(true);
    expect(budget.take(at(9_999))).toBe(false);
    for (let i = 0; i < 10; i++) budget.requested(at(9_999));
    expect(budget.take(at(10_000))).toBe(false);
    expect(budget.take(at(19_000))).toBe(false);
    for (let i = 0; i < 2; i++) budget.requested(at(20_000));
    expect([budget.take(at(20_000)), budget.take(at(20_000))]).toEqual([true, false]);
  });

  it('refuses a share or a rate that is none', () => {
    expect(() => new RetryBudget({ share: 2, perSecond: 0 })).toThrow('share 2');
    expect(() => new RetryBudget({ share: 0.1, perSecond: Number.NaN })).toThrow('NaN a second');
  });

  it('agrees with a list of all that happened', () => {
    const step = fc.record({ retry: fc.boolean(), afterMs: fc.oneof(fc.constant(0), fc.integer({ min: -100, max: 3_000 })) });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0.1, 0.5),
        fc.constantFrom(0, 0.3),
        fc.array(step, { maxLength: 200, size: 'max' }),
        (share, perSecond, steps) => {
          const budget = new RetryBudget({ share, perSecond });
          const all: { retry: boolean; slot: number }[] = [];
          let nowMs = 0;
          let slot = 0;
          for (const { retry, afterMs } of steps) {
            nowMs = Math.max(0, nowMs + afterMs);
            slot = Math.max(slot, Math.floor(nowMs / 1_000));
            const recent = all.filter((one) => one.slot > slot - 10);
            const retries = recent.filter((one) => one.retry).length;
            const allowed = retries + 1 <= (recent.length - retries) * share + perSecond * 10;
            if (retry) expect(budget.take(at(nowMs))).toBe(allowed);
            else budget.requested(at(nowMs));
            if (!retry || allowed) all.push({ retry, slot });
          }
        },
      ),
      { seed: 20_260 },
    );
  });
});
