import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainNumbersOf } from '../../../src/guards/numbers.ts';
import { nearestIn } from '../../../src/guards/precision.ts';
import { askew, numericTensor } from '../../support/guard-tensors.ts';

/** FP16 by its definition: sign, exponent with bias 15, fraction of 10 bits. */
function halfByDefinition(bits: number): number {
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

const allBits = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

describe('the numbers of a tensor', () => {
  it('are a view on aligned bytes', () => {
    const values = Float32Array.of(1, 2, 3);
    expect(plainNumbersOf(numericTensor('x', 'FP32', values)).buffer).toBe(values.buffer);
  });

  it('are the same when the bytes lie askew', () => {
    const values = Float64Array.of(1.5, -2.5, 1e300);
    expect(plainNumbersOf(askew(numericTensor('x', 'FP64', values)))).toEqual(values);
  });

  it.each([0, 1, 16, 128, 129, 1_000])('are the same for %i FP32 that lie askew', (length) => {
    for (const first of [1, 2]) {
      const values = Float32Array.from({ length }, (_, i) => first + i / 3);
      expect(plainNumbersOf(askew(numericTensor('x', 'FP32', values)))).toEqual(values);
    }
  });

  it('are a copy, and not another view, when bytes of a Buffer lie askew', () => {
    const room = Buffer.alloc(16);
    const at = room.byteOffset % 4 === 0 ? 1 : 0;
    const data = room.subarray(at, at + 8);
    const numbers = plainNumbersOf({ name: 'x', datatype: 'INT32', shape: [2], data });
    expect(numbers.buffer).not.toBe(room.buffer);
    expect(Array.from(numbers)).toEqual([0, 0]);
  });

  it('widen every FP16 there is', () => {
    const wide = plainNumbersOf(numericTensor('x', 'FP16', allBits));
    for (let bits = 0; bits < 0x10000; bits++) expect(Object.is(wide[bits], halfByDefinition(bits))).toBe(true);
  });

  it('widen BF16 as the upper half of FP32', () => {
    expect(Array.from(plainNumbersOf(numericTensor('x', 'BF16', Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0))))).toEqual([
      1,
      -2,
      Infinity,
      0,
    ]);
  });
});

describe('nearestIn', () => {
  it('rounds to FP32 as the machine does', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e38, max: 1e38 }), (value) => {
        expect(nearestIn('FP32', value)).toBe(Math.fround(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps every finite FP16 as it is', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfByDefinition(bits);
      if (Number.isFinite(value)) expect(nearestIn('FP16', value)).toBe(value);
    }
  });

  it('leaves other datatypes and infinities alone', () => {
    expect(nearestIn('FP64', 0.1)).toBe(0.1);
    expect(nearestIn('INT8', 0.1)).toBe(0.1);
    expect(nearestIn('FP16', Infinity)).toBe(Infinity);
    expect(nearestIn('FP16', 0)).toBe(0);
  });
});
