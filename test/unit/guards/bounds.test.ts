import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsGuard } from '../../../src/config/guard-schema.ts';
import { Ruling } from '../../../src/core/guard.ts';
import type { Tensor } from '../../../src/core/inference.ts';
import { BoundsGuard } from '../../../src/guards/bounds.ts';
import { Subject } from '../../../src/guards/subject.ts';
import { guardContract } from '../../support/contracts/guard-contract.ts';
import { numericTensor } from '../../support/guard-tensors.ts';

interface Settings {
  readonly min?: number;
  readonly max?: number;
  readonly allowNonFinite?: boolean;
}

const configOf = (settings: Settings, tensors: readonly string[] = []) =>
  boundsGuard.parse({ kind: 'bounds', name: 'range', tensors, ...settings });

/** The rule that the tensor breaks; empty when the guard allows it. */
function brokenRule(settings: Settings, tensor: Tensor): string {
  const subject = new Subject([tensor]);
  const ruling = new BoundsGuard(configOf(settings)).check(subject);
  expect(ruling).toBe(subject.rule === '' ? Ruling.Allow : Ruling.Block);
  return subject.rule;
}

guardContract('BoundsGuard', {
  config: (tensors) => configOf({ min: 0, max: 10 }, tensors),
  ruling: Ruling.Block,
  offending: (name, shape) => numericTensor(name, 'FP32', Float32Array.of(11), shape),
  innocent: (name, shape) => numericTensor(name, 'FP32', Float32Array.of(7), shape),
  reads: 'FP32',
  cannotRead: 'BYTES',
  any: fc
    .record({
      datatype: fc.constantFrom('FP16', 'BF16', 'FP32', 'FP64', 'INT8', 'INT64', 'UINT64', 'UINT16', 'INT32' as const),
      data: fc
        .uint8Array({ maxLength: 8 })
        .map((bytes) => Uint8Array.from([...bytes, ...bytes, ...bytes, ...bytes, ...bytes, ...bytes, ...bytes, ...bytes])),
    })
    .map(({ datatype, data }) => ({ name: 'any', datatype, shape: [data.length], data }) as Tensor),
});

describe('BoundsGuard', () => {
  it('says which bound is broken', () => {
    expect(brokenRule({ min: 0, max: 1 }, numericTensor('x', 'FP64', Float64Array.of(0, 1, 0.5)))).toBe('');
    expect(brokenRule({ min: 0, max: 1 }, numericTensor('x', 'FP64', Float64Array.of(0, -1e-9)))).toBe('min');
    expect(brokenRule({ min: 0, max: 1 }, numericTensor('x', 'FP64', Float64Array.of(0, 1.000001)))).toBe('max');
  });

  it('refuses NaN and infinities even where it sets no bound, unless config lets them pass', () => {
    for (const odd of [NaN, Infinity, -Infinity]) {
      const tensor = numericTensor('x', 'FP32', Float32Array.of(0, odd));
      expect(brokenRule({}, tensor)).toBe('nonFinite');
      expect(brokenRule({ min: 0, max: 1 }, tensor)).toBe('nonFinite');
      expect(brokenRule({ min: 0, max: 1, allowNonFinite: true }, tensor)).toBe('');
    }
  });

  it('goes on behind a NaN that it lets pass', () => {
    const tensor = numericTensor('x', 'FP32', Float32Array.of(NaN, 5));
    expect(brokenRule({ max: 1, allowNonFinite: true }, tensor)).toBe('max');
  });

  it('accepts a bound itself in each floating datatype, though it is rounded there', () => {
    for (const bound of [0.1, 0.3, -0.7, 1e-7, 123.456, 65504]) {
      expect(brokenRule({ min: bound, max: bound }, numericTensor('x', 'FP32', Float32Array.of(bound)))).toBe('');
      expect(brokenRule({ min: bound, max: bound }, numericTensor('x', 'FP64', Float64Array.of(bound)))).toBe('');
    }
    // 0x2e66 is FP16's nearest to 0.1, 0x3dcd is BF16's.
    expect(brokenRule({ min: 0.1, max: 0.1 }, numericTensor('x', 'FP16', Uint16Array.of(0x2e66)))).toBe('');
    expect(brokenRule({ min: 0.1, max: 0.1 }, numericTensor('x', 'BF16', Uint16Array.of(0x3dcd)))).toBe('');
    expect(brokenRule({ min: 0.1, max: 0.1 }, numericTensor('x', 'FP16', Uint16Array.of(0x2e67)))).toBe('max');
    expect(brokenRule({ min: 0.1, max: 0.1 }, numericTensor('x', 'BF16', Uint16Array.of(0x3dcc)))).toBe('min');
  });

  it('compares 64-bit integers beyond 2^53 exactly', () => {
    const max = 2 ** 60;
    expect(brokenRule({ max }, numericTensor('x', 'INT64', BigInt64Array.of(2n ** 60n)))).toBe('');
    expect(brokenRule({ max }, numericTensor('x', 'INT64', BigInt64Array.of(2n ** 60n + 1n)))).toBe('max');
    expect(brokenRule({ min: 2 ** 63 }, numericTensor('x', 'UINT64', BigUint64Array.of(2n ** 63n - 1n)))).toBe('min');
    expect(brokenRule({ min: -1 }, numericTensor('x', 'UINT64', BigUint64Array.of(2n ** 64n - 1n)))).toBe('');
  });

  it('rounds a broken bound inwards for integers', () => {
    expect(brokenRule({ min: 0.5 }, numericTensor('x', 'INT64', BigInt64Array.of(0n)))).toBe('min');
    expect(brokenRule({ max: 0.5 }, numericTensor('x', 'INT64', BigInt64Array.of(1n)))).toBe('max');
    expect(brokenRule({ min: -0.5, max: 0.5 }, numericTensor('x', 'INT64', BigInt64Array.of(0n)))).toBe('');
  });

  it('agrees with a naive comparison on any whole numbers and bounds', () => {
    const integers = {
      INT8: Int8Array,
      UINT8: Uint8Array,
      INT16: Int16Array,
      UINT16: Uint16Array,
      INT32: Int32Array,
      UINT32: Uint32Array,
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(integers) as (keyof typeof integers)[])),
        fc.array(fc.integer()),
        fc.integer({ min: -300, max: 0 }),
        fc.integer({ min: 0, max: 300 }),
        (datatype, values, min, max) => {
          const array = integers[datatype].from(values);
          const odd = Array.from(array).find((value) => value < min || value > max);
          const expected = odd === undefined ? '' : odd < min ? 'min' : 'max';
          expect(brokenRule({ min, max }, numericTensor('x', datatype, array))).toBe(expected);
        },
      ),
    );
  });

  it('only flags when config says so', () => {
    const config = boundsGuard.parse({ kind: 'bounds', name: 'range', max: 1, action: 'flag' });
    expect(new BoundsGuard(config).check(new Subject([numericTensor('x', 'INT8', Int8Array.of(2))]))).toBe(Ruling.Flag);
  });

  it('throws on bytes that are no whole number of elements', () => {
    const broken: Tensor = { name: 'x', datatype: 'FP32', shape: [1], data: new Uint8Array(5) };
    expect(() => brokenRule({ max: 1 }, broken)).toThrow('tensor "x" has 5 bytes, which is no whole number of FP32 elements');
  });
});
