import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldReader, quoted } from '../../../../src/wire/oip/field-reader.ts';
import { RUNS } from './arbitraries.ts';

const read = (...bytes: number[]): FieldReader => new FieldReader(Uint8Array.from(bytes), 'Test');

/** The plainest varint writer: 64 bits, seven at a time. */
function varintOf(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

describe('FieldReader', () => {
  it('reads at most so many fields, those of sub-messages among them', () => {
    const reader = new FieldReader(Buffer.from([0x0a, 2, 0x08, 1, 0x10, 1]), 'M', 2);
    expect(reader.next()).toBe(true);
    reader.enter('sub');
    expect(reader.next()).toBe(true);
    reader.skip();
    reader.leave();
    expect(reader.next()).toBe(false);
    expect(reader.problem).toContain('more fields than are read');
  });

  it('reads every 64-bit integer exactly, signed and unsigned', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(BigInt(read(...varintOf(value)).signed())).toBe(value);
        expect(BigInt(read(...varintOf(value)).unsigned())).toBe(BigInt.asUintN(64, value));
      }),
      RUNS,
    );
  });

  it('gives a number while that is exact and a bigint past it', () => {
    expect(read(...varintOf(2n ** 53n - 1n)).signed()).toBe(Number.MAX_SAFE_INTEGER);
    expect(read(...varintOf(2n ** 53n)).signed()).toBe(2n ** 53n);
    expect(read(...varintOf(-(2n ** 53n) + 1n)).signed()).toBe(-Number.MAX_SAFE_INTEGER);
    expect(read(...varintOf(-(2n ** 53n))).signed()).toBe(-(2n ** 53n));
  });

  it('takes a number of ten bytes and refuses a 65th bit or an eleventh byte', () => {
    const nine = [255, 255, 255, 255, 255, 255, 255, 255, 255];
    expect(read(...nine, 1).unsigned()).toBe(2n ** 64n - 1n);
    for (const tail of [[2], [129, 0], [128, 0]]) {
      const reader = read(...nine, ...tail);
      expect(reader.varint()).toBe(false);
      expect(reader.problem).toContain('longer than 64 bits');
    }
  });

  it.each([
    ['a number that is cut short', [0x08, 0x80], 'end inside a number'],
    ['field number 0', [0x00], 'field number'],
    ['a tag past 32 bits', [0x88, 0x80, 0x80, 0x80, 0x10], 'field number'],
    ['a group', [0x0b, 0x0c], 'group'],
    ['the end of a group', [0x0c], 'group'],
    ['wire type 6', [0x0e], 'wire type 6'],
    ['wire type 7', [0x0f], 'wire type 7'],
    ['four bytes of which two came', [0x0d, 1, 2], 'takes 4 bytes, 2 are left'],
    ['eight bytes of which none came', [0x09], 'takes 8 bytes, 0 are left'],
    ['a length past the end', [0x0a, 5, 1], 'states 5 bytes, 1 are left'],
    ['a length past 32 bits', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x10], 'states 4294967296 bytes, 0 are left'],
  ])('refuses %s', (_what, bytes, problem) => {
    const reader = read(...bytes);
    while (reader.next()) reader.skip();
    expect(reader.problem).toContain(problem);
  });

  it('keeps a sub-message from reading past its own end', () => {
    // Field 1 holds two bytes; inside, field 1 states three that would have to come from outside.
    const reader = read(0x0a, 2, 0x0a, 3, 1, 2, 3);
    expect(reader.next()).toBe(true);
    reader.enter('Inner');
    expect(reader.next()).toBe(true);
    expect(reader.view()).toHaveLength(0);
    reader.leave();
    expect(reader.problem).toBe('Inner, byte 4: field 1 states 3 bytes, 0 are left.');
    expect(reader.next()).toBe(false);
  });

  it('reads any valid UTF-8 as it is, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        for (const marked of [text, `\ufeff${text}`]) {
          const bytes = Buffer.from(marked);
          const reader = new FieldReader(Buffer.concat([Uint8Array.of(0x0a, bytes.length), bytes]), 'Test');
          expect(reader.next() && reader.text(1_000)).toBe(marked);
          expect(reader.problem).toBe('');
        }
      }),
      RUNS,
    );
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate half', [0xed, 0xa0, 0x80]],
    ['a code point past Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0x61, 0xe2, 0x82]],
  ])('refuses %s in a string', (_what, bytes) => {
    const reader = read(0x0a, bytes.length, ...bytes);
    expect(reader.next() && reader.text(1_000)).toBe('');
    expect(reader.problem).toContain('not valid UTF-8');
  });

  it('gives views on the very bytes it was made over', () => {
    const slab = new Uint8Array(16).fill(7);
    slab.set([0x0a, 3, 1, 2, 3], 8);
    const reader = new FieldReader(slab.subarray(8, 13), 'Test');
    expect(reader.next()).toBe(true);
    const view = reader.view();
    expect([...view]).toEqual([1, 2, 3]);
    expect(view.buffer).toBe(slab.buffer);
  });
});

describe('quoted', () => {
  it('is short, on one line and well formed whatever it quotes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 90 }),
        (text) => {
          const shown = quoted(text);
          expect(shown.isWellFormed()).toBe(true);
          expect(shown).not.toMatch(/[\n\r\0]/);
          expect(shown.length).toBeLessThanOrEqual(6 * 64 + 3);
        },
      ),
      RUNS,
    );
  });
});
