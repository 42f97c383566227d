import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonCursor } from '../../../../src/wire/json/cursor.ts';
import { scanNumber, toFloat32, toFloat64 } from '../../../../src/wire/json/number-token.ts';

const cursor = new JsonCursor(4);

function expectExact(text: string): void {
  // Something stands behind the number, as in every tensor, and once nothing does.
  for (const after of ['', ',1234567']) {
    cursor.start(Buffer.from(text + after));
    expect(scanNumber(cursor), text).toBe(true);
    expect(cursor.number.to).toBe(text.length);
    expect(cursor.number.integral).toBe(/^-?\d+$/.test(text));
    expect(toFloat64(cursor), text).toBe(Number(text));
    expect(Math.fround(toFloat32(cursor)), text).toBe(Math.fround(Number(text)));
  }
}

const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.nat(9) }, fc.constant(0), fc.constant(9)), { minLength: min, maxLength: max })
    .map((list) => list.join(''));
const whole = digits(1, 24).map((text) => text.replace(/^0+(?=\d)/, ''));
const numerals = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits(1, 40), { nil: '' }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.oneof(digits(1, 2), digits(1, 5))), { nil: null }),
  )
  .map(
    ([sign, head, tail, exponent]) =>
      `${sign}${head}${tail === '' ? '' : `.${tail}`}${exponent === null ? '' : exponent.join('')}`,
  );

describe('NumberToken', () => {
  it('makes of any numeral the double that Number makes of it, and its FP32 value', () => {
    fc.assert(fc.property(numerals, expectExact), { numRuns: 20_000 });
  });

  it('reads back every double and every FP32 value as JavaScript prints it', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        (wide, narrow) => {
          expectExact(Object.is(wide, -0) ? '-0' : String(wide));
          expectExact(Object.is(narrow, -0) ? '-0' : String(narrow));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('rounds to FP32 as a double does next to the middle of two neighbours', () => {
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7f7ffffe }),
        fc.integer({ min: 9, max: 40 }),
        fc.constantFrom(-1, 0, 1),
        (at, precision, step) => {
          bits[0] = at;
          const low = value[0]!;
          bits[0] = at + 1;
          const middle = (low + value[0]!) / 2;
          const near = middle * (1 + step * Number.EPSILON);
          expectExact(near.toPrecision(precision));
          expectExact(String(near));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it.each([
    '0',
    '-0',
    '0.0',
    '-0.0e5',
    '0e999999999999',
    '1e400',
    '-1e400',
    '1e-400',
    '5e-324',
    '2.2250738585072011e-308',
    '9007199254740993',
    '9007199254740992.5',
    '123456789012345678901234567890',
    '1e22',
    '1e23',
    '999999999999999e22',
    '0.000000000000000000000000000000000000000000001',
    '3.4028235677973366e38',
    '3.4028234e38',
    '1.401298464324817e-45',
    '7e-46',
    '0.30000001192092896',
    '1.17549435e-38',
    '1.1754942807573643e-38',
    '12345678.9',
    '100000.000001',
    '0.00001234',
  ])('reads %s exactly', (text) => {
    expectExact(text);
  });

  it('counts on no exponent that is longer than it can count', () => {
    // A clamped exponent would meet the zeros of the fraction in the middle and look like an ordinary number.
    expectExact(`0.${'0'.repeat(100_010)}1e1000000`);
    expectExact(`0.${'0'.repeat(100_010)}1e0100000`);
    expectExact(`1${'0'.repeat(100_010)}e-100010`);
  });
});
