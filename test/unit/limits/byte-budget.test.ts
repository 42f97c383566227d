import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';

describe('LocalByteBudget', () => {
  it('gives room up to its capacity to the byte', () => {
    const budget = new LocalByteBudget(100);
    expect(budget.take(60)).toBe(true);
    expect(budget.take(41)).toBe(false);
    expect(budget.take(40)).toBe(true);
    expect(budget.take(0)).toBe(true);
    expect(budget.usedBytes).toBe(100);
  });

  it('has no room for what is negative or no number', () => {
    const budget = new LocalByteBudget(100);
    expect(budget.take(-1)).toBe(false);
    expect(budget.take(Number.NaN)).toBe(false);
    expect(budget.usedBytes).toBe(0);
  });

  it('clamps and counts what is given back too much', () => {
    const budget = new LocalByteBudget(100);
    budget.take(30);
    budget.give(50);
    expect(budget.usedBytes).toBe(0);
    expect(budget.overGivenBytes).toBe(20);
    expect(budget.take(101)).toBe(false);
  });

  it('takes nothing when nonsense is given back', () => {
    const budget = new LocalByteBudget(100);
    budget.take(30);
    budget.give(-10);
    budget.give(Number.NaN);
    expect(budget.usedBytes).toBe(30);
  });

  it('refuses a capacity that is no whole number', () => {
    expect(() => new LocalByteBudget(-1)).toThrow('capacity -1');
  });

  it('agrees with a plain sum over any sequence', () => {
    const step = fc.record({ take: fc.boolean(), bytes: fc.integer({ min: 0, max: 60 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const budget = new LocalByteBudget(100);
        let used = 0;
        for (const { take, bytes } of steps) {
          if (take) {
            const fits = used + bytes <= 100;
            expect(budget.take(bytes)).toBe(fits);
            if (fits) used += bytes;
          } else {
            budget.give(bytes);
            used = Math.max(0, used - bytes);
          }
          expect(budget.usedBytes).toBe(used);
        }
      }),
      { seed: 20_260 },
    );
  });
});
