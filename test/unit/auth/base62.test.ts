import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base62, base62Of32 } from '../../../src/auth/base62.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const decoded = (text: string): bigint => Array.from(text).reduce((sum, digit) => sum * 62n + BigInt(DIGITS.indexOf(digit)), 0n);

describe('base62', () => {
  it('can be undone for every 256-bit number in 43 characters', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        const text = base62(value, 43);
        expect(text).toHaveLength(43);
        expect(decoded(text)).toBe(value);
      }),
    );
    expect(decoded(base62(2n ** 256n - 1n, 43))).toBe(2n ** 256n - 1n);
    expect(base62(0n, 43)).toBe('0'.repeat(43));
  });

  it('gives the same for 32-bit numbers either way', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (value) => {
        expect(base62Of32(value, 6)).toBe(base62(BigInt(value), 6));
      }),
    );
    expect(base62Of32(0xffffffff, 6)).toBe(base62(0xffffffffn, 6));
  });
});
