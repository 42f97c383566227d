import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import { DATATYPES, type Datatype, elementBytes } from '../../../../src/core/datatype.ts';
import { ByteWriter, jsonString } from '../../../../src/wire/json/byte-writer.ts';
import { JsonCursor } from '../../../../src/wire/json/cursor.ts';
import { readTensorData } from '../../../../src/wire/json/tensor-reader.ts';
import { jsonRefusal, writeTensorData } from '../../../../src/wire/json/tensor-writer.ts';

const cursor = new JsonCursor(4);

function write(datatype: Datatype, data: Uint8Array): string {
  const writer = new ByteWriter(0);
  const refusal = writeTensorData(writer, { name: 'x', datatype, shape: [], data });
  return refusal === '' ? Buffer.concat(writer.pieces()).toString() : refusal;
}

function readBack(datatype: Datatype, text: string, count: number): Uint8Array {
  cursor.start(Buffer.from(text));
  return readTensorData(cursor, datatype, [count], count) ?? Buffer.from(cursor.fault);
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer);
const numeric = DATATYPES.filter((datatype) => !['BOOL', 'BYTES', 'FP16', 'BF16'].includes(datatype));

describe('writeTensorData', () => {
  it.each(numeric)('writes %s so that it reads back as the same bits', (datatype) => {
    const size = elementBytes(datatype);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 96 }), fc.nat(7), (bytes, offset) => {
        const count = Math.floor(bytes.length / size);
        // Unaligned, as slices of messages are.
        const data = new Uint8Array(count * size + offset).subarray(offset);
        data.set(bytes.subarray(0, count * size));
        const back = readBack(datatype, write(datatype, data), count);
        // The payload of a NaN has no JSON form.
        if (datatype === 'FP32') expect(new Float32Array(back.slice().buffer)).toEqual(new Float32Array(data.slice().buffer));
        else if (datatype === 'FP64')
          expect(new Float64Array(back.slice().buffer)).toEqual(new Float64Array(data.slice().buffer));
        else expect(Buffer.from(back)).toEqual(Buffer.from(data));
      }),
      { numRuns: 500 },
    );
  });

  it('writes FP32 of every size in digits that read back', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.integer({ min: -45, max: 38 }), fc.nat(999_999_999), (any, power, digits) => {
        const values = [any, Math.fround(Number(`${digits}e${power - 8}`)), Math.fround(digits / 1e9), Math.fround(digits / 64)];
        const text = write('FP32', floats(...values));
        expect(new Float32Array(readBack('FP32', text, 4).slice().buffer)).toEqual(new Float32Array(values));
        // Nine digits tell any two apart, so there is no need for more.
        for (const number of text.slice(1, -1).split(',')) {
          expect(number.replace(/e.*|^-|\./g, '').replace(/^0+|0+$/g, '').length).toBeLessThanOrEqual(9);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('writes short decimals as people would', () => {
    expect(
      write(
        'FP32',
        floats(0.1, -0.25, 1, 0, -0, 100, 9.80665, 1e-5, 1e-6, 1.5e-10, 1234567.9, 16777216, 1e10, 3.4028235e38, 1e-45),
      ),
    ).toBe('[0.1,-0.25,1,0,-0.0,100,9.80665,0.00001,1e-6,1.5e-10,1234567.9,16777216,10000000000,3.4028235e+38,1.401298e-45]');
    expect(write('FP64', new Uint8Array(new Float64Array([0.1, -0, 1e21, 5e-324]).buffer))).toBe('[0.1,-0.0,1e+21,5e-324]');
  });

  it('writes NaN and the infinities as bare words', () => {
    expect(write('FP32', floats(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))).toBe(
      '[NaN,Infinity,-Infinity]',
    );
    expect(write('FP64', new Uint8Array(new Float64Array([Number.NaN, Number.NEGATIVE_INFINITY]).buffer))).toBe(
      '[NaN,-Infinity]',
    );
  });

  it('writes 64-bit integers exactly', () => {
    const longs = new BigInt64Array([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 0n, 1_000_000_000n]);
    expect(write('INT64', new Uint8Array(longs.buffer))).toBe(`[${[...longs].join(',')}]`);
    expect(write('UINT64', Buffer.alloc(8, 0xff))).toBe('[18446744073709551615]');
  });

  it('writes BOOL as true and false, and nothing as an empty array', () => {
    expect(write('BOOL', Uint8Array.of(1, 0, 7))).toBe('[true,false,true]');
    for (const datatype of ['FP32', 'BYTES', 'INT64', 'BOOL'] as const) expect(write(datatype, new Uint8Array(0))).toBe('[]');
  });

  it('writes any text so that JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 8 }), (values) => {
        const data = joinByteStrings(values.map((value) => Buffer.from(value)));
        expect(JSON.parse(write('BYTES', data))).toEqual(values);
      }),
    );
    expect(JSON.parse(write('BYTES', joinByteStrings([Buffer.from('\u0000\u001f"\\\n\b\u007f')])))).toEqual([
      '\u0000\u001f"\\\n\b\u007f',
    ]);
  });

  it('goes on in further chunks when one is full', () => {
    const long = '"é\n'.repeat(60_000);
    expect(JSON.parse(write('BYTES', joinByteStrings([Buffer.from(long), Buffer.from(long)])))).toEqual([long, long]);
    const many = new Float32Array(50_000).map((_, i) => i / 7);
    expect(new Float32Array(JSON.parse(write('FP32', new Uint8Array(many.buffer))))).toEqual(many);
  });

  it('finds the first value that is not UTF-8, however values are cut and however long they are', () => {
    // Halves of characters, and lengths whose bytes look like them.
    const piece = fc.constantFrom('c3', 'a9', 'e282ac', '82', 'f09f', '8e89', '61', 'c3a9', '61'.repeat(0x80), '61'.repeat(0xa9));
    const element = fc.array(piece, { maxLength: 4 }).map((pieces) => Buffer.from(pieces.join(''), 'hex'));
    fc.assert(
      fc.property(fc.array(element, { maxLength: 5 }), (elements) => {
        const first = elements.findIndex((bytes) => !bytes.equals(Buffer.from(bytes.toString())));
        const found = jsonRefusal({
          name: 'y',
          datatype: 'BYTES',
          shape: [elements.length],
          data: joinByteStrings(elements),
        });
        expect(found.startsWith(`value ${first} is not UTF-8`) || (first === -1 && found === '')).toBe(true);
      }),
      { seed: 20_264, numRuns: 2_000 },
    );
  });

  it('refuses what JSON cannot carry and says why', () => {
    expect(write('BYTES', joinByteStrings([Buffer.from('ok'), Buffer.from([0xff, 0xd8])]))).toBe(
      'value 1 is not UTF-8, which JSON needs: ask for it as binary data (parameters.binary_data) or over gRPC',
    );
    expect(write('BYTES', Uint8Array.of(9, 0, 0, 0, 1))).toBe('a length prefix of its BYTES data points past the end');
    expect(write('FP16', Uint8Array.of(0, 0))).toBe(
      'FP16 data has no JSON form: ask for it as binary data (parameters.binary_data) or over gRPC',
    );
    expect(write('BF16', Uint8Array.of(0, 0))).toBe(
      'BF16 data has no JSON form: ask for it as binary data (parameters.binary_data) or over gRPC',
    );
  });
});

describe('jsonString', () => {
  it('quotes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(jsonString(text))).toBe(text);
      }),
    );
  });
});
