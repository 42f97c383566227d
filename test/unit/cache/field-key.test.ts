import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldKey } from '../../../src/cache/field-key.ts';

type Field = number | string | Uint8Array;

/** The layout written plainly: every field whole in memory. */
function plainKey(fields: readonly Field[]): string {
  const pieces = fields.flatMap((field) => {
    if (typeof field === 'number') return [number(field)];
    if (typeof field !== 'string') return [number(field.length), field];
    const wide = field.length > 256 || [...field].some((character) => character > '\u00ff');
    return [number(field.length * 2 + Number(wide)), Buffer.from(field, wide ? 'utf16le' : 'latin1')];
  });
  const whole = Buffer.concat([Buffer.from([0]), ...pieces]);
  return whole.length <= 320 ? whole.toString('latin1') : createHash('sha256').update(whole).digest('base64');
}

function number(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0 && value < 255) return Buffer.from([value]);
  const bytes = Buffer.alloc(9, 0xff);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function keyOf(key: FieldKey, fields: readonly Field[]): string {
  key.begin();
  for (const field of fields) {
    if (typeof field === 'number') key.number(field);
    else if (typeof field === 'string') key.text(field);
    else key.bytes(field);
  }
  return key.end();
}

const size = fc.oneof(
  fc.nat({ max: 60 }),
  fc.integer({ min: 250, max: 330 }),
  fc.integer({ min: 8_150, max: 8_200 }),
  fc.integer({ min: 16_350, max: 16_400 }),
  fc.nat({ max: 40_000 }),
);
const alphabet = fc.constantFrom('ab', 'é', 'aé\ud83d');
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.integer(),
  fc.nat(300),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.tuple(size, alphabet).map(([length, some]) => some.repeat(length).slice(0, length)),
  size.map((length) => new Uint8Array(length).fill(length % 251)),
);

describe('FieldKey', () => {
  it('makes the same key whether the fields fit its scratch space or not', () => {
    const key = new FieldKey();
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        expect(keyOf(key, fields)).toBe(plainKey(fields));
      }),
      { seed: 20_260, numRuns: 600 },
    );
  });

  it('gives two keys to any two sequences that differ, however alike they look', () => {
    const key = new FieldKey();
    const small: fc.Arbitrary<Field> = fc.oneof(
      fc.constantFrom<Field>(0, 1, 2, 254, 255, 256, -1, 0.5),
      fc.string({ unit: fc.constantFrom('a', '\u0001', '\u0002', 'ÿ', '\u0100', '\ud800', '\udfff'), maxLength: 3 }),
    );
    const sequence = fc.array(small, { maxLength: 4 });
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        // As it is used: a reader knows the kind of each field from those before it.
        const kinds = (fields: readonly Field[]): string => fields.map((one) => typeof one).join();
        if (kinds(a) === kinds(b)) expect(keyOf(key, a) === keyOf(key, b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { seed: 20_261, numRuns: 3_000 },
    );
  });

  it('writes -0 and 0 as the same number', () => {
    const key = new FieldKey();
    expect(keyOf(key, [-0])).toBe(keyOf(key, [0]));
  });
});
