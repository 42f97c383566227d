import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Datatype } from '../../../../src/core/datatype.ts';
import { decodeInferRequest } from '../../../../src/wire/oip/infer-request.ts';
import { RUNS } from './arbitraries.ts';
import { type Plain, stockEncode } from './stock-protobuf.ts';

const MAX_TYPED_BYTES = 2_097_152;

function dataOf(input: Buffer): Uint8Array {
  const bytes = Buffer.concat([stockEncode('ModelInferRequest', { model_name: 'm' }), input]);
  const result = decodeInferRequest(bytes, 8, MAX_TYPED_BYTES);
  if (typeof result === 'string') throw new Error(result);
  return result.inputs[0]!.data;
}

function problemOf(datatype: string, contents: Plain): string {
  const inputs = [{ name: 'x', datatype, contents }];
  const result = decodeInferRequest(stockEncode('ModelInferRequest', { model_name: 'm', inputs }), 8, MAX_TYPED_BYTES);
  return typeof result === 'string' ? result : 'taken';
}

const typed = (datatype: Datatype, contents: Plain): Buffer =>
  stockEncode('ModelInferRequest', { inputs: [{ name: 'x', datatype, contents }] });

/** An input of `datatype` whose contents are these very bytes. */
function handmade(datatype: Datatype, contents: readonly number[]): Buffer {
  const body = Buffer.concat([
    Uint8Array.of(0x12, datatype.length),
    Buffer.from(datatype),
    Uint8Array.of(0x2a, contents.length),
    Uint8Array.from(contents),
  ]);
  return Buffer.concat([Uint8Array.of(0x2a, body.length), body]);
}

interface Case {
  readonly datatype: Datatype;
  readonly field: string;
  readonly min: bigint;
  readonly max: bigint;
  readonly array: new (values: never) => ArrayBufferView;
}

const bits = (width: number, isSigned: boolean): { min: bigint; max: bigint } =>
  isSigned ? { min: -(2n ** BigInt(width - 1)), max: 2n ** BigInt(width - 1) - 1n } : { min: 0n, max: 2n ** BigInt(width) - 1n };

const NARROW: readonly Case[] = [
  { datatype: 'INT8', field: 'int_contents', ...bits(8, true), array: Int8Array },
  { datatype: 'INT16', field: 'int_contents', ...bits(16, true), array: Int16Array },
  { datatype: 'INT32', field: 'int_contents', ...bits(32, true), array: Int32Array },
  { datatype: 'UINT8', field: 'uint_contents', ...bits(8, false), array: Uint8Array },
  { datatype: 'UINT16', field: 'uint_contents', ...bits(16, false), array: Uint16Array },
  { datatype: 'UINT32', field: 'uint_contents', ...bits(32, false), array: Uint32Array },
];
const WIDE: readonly Case[] = [
  { datatype: 'INT64', field: 'int64_contents', ...bits(64, true), array: BigInt64Array },
  { datatype: 'UINT64', field: 'uint64_contents', ...bits(64, false), array: BigUint64Array },
];

const bytesOf = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

describe('typed contents', () => {
  it.each(NARROW)('lays $datatype out as raw contents would', ({ datatype, field, min, max, array }) => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min, max }), { maxLength: 20 }), (values) => {
        const numbers = values.map(Number);
        expect(Buffer.from(dataOf(typed(datatype, { [field]: numbers })))).toEqual(bytesOf(new array(numbers as never)));
      }),
      RUNS,
    );
  });

  it.each(WIDE)('keeps every bit of $datatype', ({ datatype, field, min, max, array }) => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min, max }), { maxLength: 20 }), (values) => {
        const bytes = typed(datatype, { [field]: values.map(String) });
        expect(Buffer.from(dataOf(bytes))).toEqual(bytesOf(new array(values as never)));
      }),
      RUNS,
    );
  });

  it('lays FP32 and FP64 out as raw contents would, NaN and infinities included', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { maxLength: 20 }), fc.array(fc.double(), { maxLength: 20 }), (floats, doubles) => {
        expect(Buffer.from(dataOf(typed('FP32', { fp32_contents: floats })))).toEqual(bytesOf(Float32Array.from(floats)));
        expect(Buffer.from(dataOf(typed('FP64', { fp64_contents: doubles })))).toEqual(bytesOf(Float64Array.from(doubles)));
      }),
      RUNS,
    );
  });

  it('lays BOOL out as ones and zeros', () => {
    expect([...dataOf(typed('BOOL', { bool_contents: [true, false, true] }))]).toEqual([1, 0, 1]);
    // 2, 2^32 and 2^63 are true as well.
    const odd = handmade(
      'BOOL',
      [0x0a, 16, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    );
    expect([...dataOf(odd)]).toEqual([1, 1, 1]);
  });

  it('puts its length before each element of BYTES', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (elements) => {
        const expected = elements.flatMap((element) => [element.length & 255, element.length >> 8, 0, 0, ...element]);
        expect([...dataOf(typed('BYTES', { bytes_contents: elements }))]).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('takes elements one by one, packed, or mixed', () => {
    expect([...dataOf(handmade('INT8', [0x10, 1, 0x12, 2, 2, 3, 0x12, 0, 0x10, 4]))]).toEqual([1, 2, 3, 4]);
    const one = [...bytesOf(Float32Array.of(1))];
    const two = [...bytesOf(Float32Array.of(2))];
    const mixed = handmade('FP32', [0x35, ...one, 0x32, 8, ...two, ...one, 0x35, ...two]);
    expect(Buffer.from(dataOf(mixed))).toEqual(bytesOf(Float32Array.of(1, 2, 1, 2)));
    expect(Buffer.from(dataOf(handmade('FP32', [0x35, ...one])))).toEqual(bytesOf(Float32Array.of(1)));
  });

  it('does not copy one pack of floats', () => {
    const bytes = Buffer.concat([
      stockEncode('ModelInferRequest', { model_name: 'm' }),
      typed('FP32', { fp32_contents: [1, 2] }),
    ]);
    const result = decodeInferRequest(bytes, 8, MAX_TYPED_BYTES);
    expect(typeof result === 'object' && result.inputs[0]!.data.buffer === bytes.buffer).toBe(true);
  });

  it('gives no bytes where no contents came', () => {
    expect(dataOf(stockEncode('ModelInferRequest', { inputs: [{ datatype: 'FP16', shape: [0] }] }))).toHaveLength(0);
    expect(dataOf(typed('FP32', {}))).toHaveLength(0);
  });

  it.each(NARROW)('refuses an element just outside $datatype', ({ datatype, field, min, max }) => {
    const tag = field === 'int_contents' ? 0x10 : 0x20;
    for (const value of [min - 1n, max + 1n]) {
      const varint: number[] = [];
      let rest = BigInt.asUintN(64, value);
      for (; rest > 127n; rest >>= 7n) varint.push(Number(rest & 127n) | 128);
      varint.push(Number(rest));
      expect(() => dataOf(handmade(datatype, [tag, ...varint]))).toThrow(`an element lies outside ${datatype}`);
    }
  });

  it.each<[string, string, Plain, string]>([
    ['FP16', 'FP16', { fp32_contents: [1] }, 'datatype FP16 has no typed contents, expected raw contents'],
    ['BF16', 'BF16', { fp32_contents: [1] }, 'datatype BF16 has no typed contents, expected raw contents'],
    [
      'elements in the field of another datatype',
      'FP32',
      { int_contents: [1] },
      'FP32 has its elements in field 2, expected field 6',
    ],
    ['elements in two fields', 'INT32', { int_contents: [1], fp32_contents: [1] }, 'expected field 2'],
  ])('refuses %s', (_what, datatype, contents, problem) => {
    expect(problemOf(datatype, contents)).toContain(problem);
  });

  it.each<[string, Datatype, number[], string]>([
    ['a pack of floats that ends inside one', 'FP32', [0x32, 3, 1, 2, 3], '3 bytes are no whole number of FP32'],
    ['a pack of integers that ends inside one', 'INT8', [0x12, 2, 1, 0x80], 'ends inside a number'],
    ['a pack of integers that ends inside its first', 'INT8', [0x12, 1, 0x80], 'ends inside a number'],
    ['a float of eight bytes', 'FP32', [0x31, 1, 2, 3, 4, 5, 6, 7, 8], 'field 6 has wire type 1, expected 5'],
    ['an integer of four bytes', 'INT8', [0x15, 1, 2, 3, 4], 'field 2 has wire type 5, expected 2'],
    ['a BYTES element that is a number', 'BYTES', [0x40, 1], 'field 8 has wire type 0, expected 2'],
    ['a group', 'INT8', [0x13], 'group'],
  ])('refuses %s', (_what, datatype, contents, problem) => {
    expect(() => dataOf(handmade(datatype, contents))).toThrow(problem);
  });

  it('are bounded where they are read element by element, and not where they are a pack of floats', () => {
    const ask = (maxTypedBytes: number, ...inputs: Plain[]): string => {
      const result = decodeInferRequest(stockEncode('ModelInferRequest', { model_name: 'm', inputs }), 8, maxTypedBytes);
      return typeof result === 'string' ? result : '';
    };
    const ints = { name: 'i', datatype: 'INT32', shape: [40], contents: { int_contents: new Array(40).fill(1) } };
    const floats = { name: 'f', datatype: 'FP32', shape: [40], contents: { fp32_contents: new Array(40).fill(1) } };
    expect(ask(42, ints)).toBe('');
    expect(ask(41, ints)).toContain('the typed contents have 42 bytes, at most 41 are read; send large tensors as raw contents');
    expect(ask(0, floats)).toBe('');
    // Several tensors share the bound, or many small ones would get around it.
    expect(ask(83, ints, { ...ints, name: 'j' })).toContain('have 84 bytes');
  });
});
