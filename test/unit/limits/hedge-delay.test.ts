import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HedgeDelay } from '../../../src/limits/hedge-delay.ts';
import { seeded } from '../../support/seeded.ts';

describe('HedgeDelay', () => {
  it('says nothing before it has seen enough', () => {
    const hedge = new HedgeDelay({ percentile: 0.95, minMs: 0 });
    for (let i = 0; i < 99; i++) hedge.note(10_000);
    expect(hedge.delayMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('is near the percentile of what it saw, and leaves over the share of calls that it should', () => {
    const hedge = new HedgeDelay({ percentile: 0.95, minMs: 0 });
    const random = seeded(5);
    const latenciesUs = Array.from({ length: 1_600 }, () => 5_000 - 20_000 * Math.log(1 - random()));
    for (const us of latenciesUs) hedge.note(us);
    const over = latenciesUs.filter((us) => us / 1_000 > hedge.delayMs).length / latenciesUs.length;
    expect(over).toBeGreaterThan(0.025);
    expect(over).toBeLessThanOrEqual(0.05);
  });

  it('follows a backend that has become slower or quicker', () => {
    const hedge = new HedgeDelay({ percentile: 0.9, minMs: 0 });
    for (let i = 0; i < 5_000; i++) hedge.note(10_000);
    expect(hedge.delayMs).toBeLessThan(12);
    for (let i = 0; i < 1_000; i++) hedge.note(100_000);
    expect(hedge.delayMs).toBeGreaterThan(100);
    for (let i = 0; i < 30_000; i++) hedge.note(1_000);
    expect(hedge.delayMs).toBeLessThan(1.2);
  });

  it('is never less than its least', () => {
    const hedge = new HedgeDelay({ percentile: 0.95, minMs: 20 });
    for (let i = 0; i < 200; i++) hedge.note(100);
    expect(hedge.delayMs).toBe(20);
  });

  it('takes any number', () => {
    const hedge = new HedgeDelay({ percentile: 0.5, minMs: 1 });
    for (let i = 0; i < 300; i++) hedge.note([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300][i % 5]!);
    expect(hedge.delayMs).toBeGreaterThanOrEqual(1);
  });

  it('refuses a percentile that is none', () => {
    expect(() => new HedgeDelay({ percentile: 1, minMs: 0 })).toThrow('percentile 1');
  });

  it('is within a bucket of a sorted list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 100, max: 600_000_000 }), { minLength: 128, maxLength: 400, size: 'max' }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (latenciesUs, percentile) => {
          const hedge = new HedgeDelay({ percentile, minMs: 0 });
          const seen = latenciesUs.slice(0, Math.floor(latenciesUs.length / 32) * 32);
          for (const us of seen) hedge.note(us);
          const sorted = [...seen].sort((a, b) => a - b);
          const exactMs = sorted[Math.ceil(sorted.length * percentile) - 1]! / 1_000;
          expect(hedge.delayMs).toBeGreaterThanOrEqual(exactMs * 0.999);
          expect(hedge.delayMs).toBeLessThanOrEqual(exactMs * 1.15);
        },
      ),
      { seed: 20_260 },
    );
  });
});
