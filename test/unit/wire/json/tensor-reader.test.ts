import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitByteStrings } from '../../../../src/core/byte-strings.ts';
import { type Datatype, elementCount } from '../../../../src/core/datatype.ts';
import { JsonCursor } from '../../../../src/wire/json/cursor.ts';
import { readTensorData } from '../../../../src/wire/json/tensor-reader.ts';

const cursor = new JsonCursor(16);

function read(text: string, datatype: Datatype, shape: readonly number[]): Uint8Array | null {
  cursor.start(Buffer.from(text));
  const data = readTensorData(cursor, datatype, shape, elementCount(shape));
  return cursor.finish() ? data : null;
}

function refusal(text: string, datatype: Datatype, shape: readonly number[]): string {
  expect(read(text, datatype, shape)).toBeNull();
  return cursor.fault;
}

const hex = (data: Uint8Array | null): string => (data === null ? cursor.fault : Buffer.from(data).toString('hex'));
const strings = (data: Uint8Array | null): string[] => splitByteStrings(data!).map((bytes) => Buffer.from(bytes).toString());

describe('readTensorData', () => {
  it('writes every datatype little-endian', () => {
    expect(hex(read('[true,false,1,0]', 'BOOL', [4]))).toBe('01000100');
    expect(hex(read('[0,255]', 'UINT8', [2]))).toBe('00ff');
    expect(hex(read('[-128,127,-1]', 'INT8', [3]))).toBe('807fff');
    expect(hex(read('[1,65535]', 'UINT16', [2]))).toBe('0100ffff');
    expect(hex(read('[-32768,32767]', 'INT16', [2]))).toBe('0080ff7f');
    expect(hex(read('[4294967295,1]', 'UINT32', [2]))).toBe('ffffffff01000000');
    expect(hex(read('[-2147483648,2147483647,-0]', 'INT32', [3]))).toBe('00000080ffffff7f00000000');
    expect(hex(read('[1,-2.5]', 'FP32', [2]))).toBe('0000803f000020c0');
    expect(hex(read('[1,-0]', 'FP64', [2]))).toBe('000000000000f03f0000000000000080');
    expect(hex(read('["é","","a\\u0000"]', 'BYTES', [3]))).toBe('02000000c3a900000000020000006100');
  });

  it('keeps 64-bit integers exact over their whole range', () => {
    const longs = [
      0n,
      1n,
      -1n,
      2n ** 53n + 1n,
      -(2n ** 53n) - 1n,
      999_999_999_999_999n,
      -999_999_999_999_999n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    const text = `[${longs.join(',')}]`;
    expect(new BigInt64Array(new Uint8Array(read(text, 'INT64', [longs.length])!).buffer)).toEqual(new BigInt64Array(longs));
    const top = read(`[${2n ** 64n - 1n},${2n ** 63n},0]`, 'UINT64', [3])!;
    expect(new BigUint64Array(new Uint8Array(top).buffer)).toEqual(new BigUint64Array([2n ** 64n - 1n, 2n ** 63n, 0n]));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(Buffer.from(read(`[${value}]`, 'INT64', [1])!).readBigInt64LE(0)).toBe(value);
      }),
    );
  });

  it.each([
    ['INT64', '9223372036854775808'],
    ['INT64', '-9223372036854775809'],
    ['INT64', '100000000000000000000000000'],
    ['UINT64', '18446744073709551616'],
    ['UINT64', '-1'],
    ['UINT64', '-9223372036854775808'],
    ['INT32', '2147483648'],
    ['UINT32', '-1'],
    ['UINT8', '256'],
    ['INT8', '-129'],
    ['UINT16', '12345678901234567890'],
    ['BOOL', '2'],
    ['BOOL', '-1'],
    ['FP32', '1e39'],
    ['FP32', '-3.5e38'],
    ['FP64', '1e309'],
  ] as const)('refuses for %s the value %s, which does not fit', (datatype, value) => {
    expect(refusal(`[0,${value}]`, datatype, [2])).toBe(`value 1 does not fit ${datatype} at byte 3`);
  });

  it('refuses a number of a million digits without reading it as an integer', () => {
    const start = performance.now();
    expect(refusal(`[1${'0'.repeat(1_000_000)}]`, 'INT64', [1])).toContain('does not fit INT64');
    expect(performance.now() - start).toBeLessThan(200);
  });

  it.each([
    ['FP32', '["1"]', 'value 0 is a string, expected a number for FP32 at byte 1'],
    ['FP64', '[null]', 'value 0 is null, expected a number for FP64 at byte 1'],
    ['FP32', '[true]', 'value 0 is a boolean, expected a number for FP32 at byte 1'],
    ['INT32', '[1.0]', 'value 0 has a fraction or an exponent, expected an integer for INT32 at byte 1'],
    ['INT64', '[1e3]', 'value 0 has a fraction or an exponent, expected an integer for INT64 at byte 1'],
    ['INT8', '[{}]', 'value 0 is an object, expected an integer for INT8 at byte 1'],
    ['UINT8', '[NaN]', 'value 0 is NaN, expected an integer for UINT8 at byte 1'],
    ['BOOL', '["x"]', 'value 0 is a string, expected a boolean for BOOL at byte 1'],
    ['BYTES', '[1]', 'value 0 is a number, expected a string for BYTES at byte 1'],
    ['FP32', '7', `expected an array of values, found '7' at byte 0`],
    ['FP16', '[1]', 'FP16 data has no JSON form: send it as binary data (parameters.binary_data_size) or over gRPC'],
    ['BF16', '[1]', 'BF16 data has no JSON form: send it as binary data (parameters.binary_data_size) or over gRPC'],
  ] as const)('says for %s what is wrong with %s', (datatype, text, fault) => {
    expect(refusal(text, datatype, [1])).toBe(fault);
  });

  it('takes NaN and the infinities as bare words for floating datatypes', () => {
    const values = new Float32Array(new Uint8Array(read('[NaN, Infinity,-Infinity,-1]', 'FP32', [4])!).buffer);
    expect([...values]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1]);
    expect(hex(read('[NaN]', 'FP64', [1]))).toBe('000000000000f87f');
    expect(refusal('[Nan]', 'FP32', [1])).toContain('value 0 is NaN, expected a number');
    expect(refusal('[NaNa]', 'FP32', [1])).toContain('expected "," or "]"');
  });

  it('takes data flat or nested as the shape says', () => {
    const flat = hex(read('[1,2,3,4,5,6]', 'INT8', [1, 2, 3]));
    expect(flat).toBe('010203040506');
    expect(hex(read(' [ [ [ 1 , 2 , 3 ] , [ 4 , 5 , 6 ] ] ] ', 'INT8', [1, 2, 3]))).toBe(flat);
    expect(strings(read('[["a","b"],["c","d"]]', 'BYTES', [2, 2]))).toEqual(['a', 'b', 'c', 'd']);
    expect(hex(read('[5]', 'INT8', []))).toBe('05');
    expect(hex(read('[]', 'FP32', [0, 3]))).toBe('');
    expect(hex(read('[[],[]]', 'FP32', [2, 0]))).toBe('');
  });

  it.each([
    ['[1,2,3]', [1, 28, 28], 'expected 784 values for shape [1,28,28], found 3'],
    ['[1,2,3]', [2], 'expected 2 values for shape [2], found 3'],
    ['[1]', [1, 2], 'expected 2 values for shape [1,2], found 1'],
    ['[]', [1], 'expected 1 values for shape [1], found 0'],
    ['[1]', [0], 'expected 0 values for shape [0], found 1'],
    ['[[1,2],[3]]', [2, 2], 'data does not nest as shape [2,2]: expected 2 values in dimension 1, found 1'],
    ['[[1,2],[3,4],[5,6]]', [2, 2], 'data does not nest as shape [2,2]: expected 2 values in dimension 0, found more than 2'],
    ['[[1,2,3],[4]]', [2, 2], 'data does not nest as shape [2,2]: expected 2 values in dimension 1, found more than 2'],
    ['[[1,2]    ]', [2, 2], 'data does not nest as shape [2,2]: expected 2 values in dimension 0, found 1'],
    ['[[[1]],[[2]]]', [2, 1], 'value 0 is an array, expected a number for FP32 at byte 2'],
    ['[[1],2]', [2, 1], `expected an array, found '2' at byte 5`],
  ])('says how %s does not fit shape %j', (text, shape, fault) => {
    expect(refusal(text, 'FP32', shape)).toBe(fault);
  });

  it('allocates by the text and not by the shape', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(refusal('[1,2,3]', 'FP64', [1_000_000_000])).toBe('expected 1000000000 values for shape [1000000000], found 3');
    expect(refusal('["",""]', 'BYTES', [1_000_000_000])).toContain('found 2');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('never writes strings past its room, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 90 }), { maxLength: 12 }), fc.boolean(), (values, escaped) => {
        let text = JSON.stringify(values);
        if (escaped) text = text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
        const wellFormed = values.every((value) => value.isWellFormed());
        const data = read(text, 'BYTES', [values.length]);
        if (wellFormed) expect(strings(data)).toEqual(values);
        else expect(data).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });
});
