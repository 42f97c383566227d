import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affinityOf, mixed } from '../../../src/router/affinity.ts';
import { chiSquareBound, chiSquareOf } from './chi-square.ts';

const KEYS = 100_000;

describe('affinityOf', () => {
  it('is an unsigned 32-bit number, the same each time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff })), (units) => {
        const key = String.fromCharCode(...units);
        const hash = affinityOf(key);
        expect(Number.isInteger(hash) && hash >= 0 && hash <= 0xffffffff).toBe(true);
        expect(affinityOf(key)).toBe(hash);
      }),
      { seed: 20_260 },
    );
  });

  it('stays what it was, or every caller would change variant with an upgrade', () => {
    expect([affinityOf(''), affinityOf('a'), affinityOf('tenant-42'), affinityOf('größe')]).toEqual([
      2872998923, 444641715, 2586136541, 2538389087,
    ]);
  });

  it.each([
    ['counted keys', (n: number) => `user-${n}`],
    ['bare numbers', (n: number) => String(n)],
    ['ids that differ at their front', (n: number) => `${n.toString(36).padStart(8, '0')}-session`],
    ['keys outside of ASCII', (n: number) => `клиент-${String.fromCharCode(0x4e00 + (n % 20_000))}${n}`],
  ])('spreads %s evenly over the slots', (_name, keyOf) => {
    const counts = new Array<number>(10_000).fill(0);
    for (let n = 0; n < KEYS; n++) counts[mixed(affinityOf(keyOf(n)) ^ 0x1234567) % 10_000]!++;
    expect(chiSquareOf(counts, KEYS)).toBeLessThan(chiSquareBound(10_000));
  });
});

describe('mixed', () => {
  it('is a bijection as far as can be seen, so that no two callers become one', () => {
    const seen = new Set<number>();
    for (let n = 0; n < KEYS; n++) seen.add(mixed(n));
    expect(seen.size).toBe(KEYS);
  });
});
