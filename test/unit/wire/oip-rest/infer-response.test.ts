import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/inference.ts';
import { InferResponseReader, jsonLength } from '../../../../src/wire/oip-rest/infer-response.ts';
import { tensor as anyTensor, RUNS } from '../oip/arbitraries.ts';

/** An answer as another server might write it: keys in any order, things that nobody knows among them. */
interface Written {
  readonly body: Buffer;
  readonly jsonBytes: number;
  readonly outputs: readonly Tensor[];
}

const written: fc.Arbitrary<Written> = fc
  .array(fc.record({ tensor: anyTensor, keys: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }) }), { maxLength: 4 })
  .map((drawn) => {
    const texts = drawn.map(({ tensor, keys }) => {
      const fields = [
        `"name":${JSON.stringify(tensor.name)}`,
        `"shape": [${tensor.shape.join(' , ')}]`,
        `"datatype":"${tensor.datatype}"`,
        `"parameters":{"label":[{"a":null}],"binary_data_size":${tensor.data.length}}`,
        '"extra":[1,{"b":"]"}]',
      ];
      return `{${keys.map((key) => fields[key]).join(',')}}`;
    });
    const json = Buffer.from(`{"id":null,"parameters":null,"outputs":[${texts.join(',')}],"model_name":"m"}`);
    const outputs = drawn.map(({ tensor }) => tensor);
    return { body: Buffer.concat([json, ...outputs.map(({ data }) => data)]), jsonBytes: json.length, outputs };
  });

const plain = (tensors: readonly Tensor[]): object[] => tensors.map((tensor) => ({ ...tensor, data: [...tensor.data] }));

describe('InferResponseReader', () => {
  const reader = new InferResponseReader();

  it('reads binary outputs whatever the order of keys, as views', () => {
    fc.assert(
      fc.property(written, ({ body, jsonBytes, outputs }) => {
        const found = reader.read(body, jsonBytes) as Tensor[];
        expect(plain(found)).toEqual(plain(outputs));
        for (const { data } of found) expect(data.length === 0 || data.buffer === body.buffer).toBe(true);
      }),
      RUNS,
    );
  });

  it('refuses every answer with a byte too few or too many behind its JSON', () => {
    fc.assert(
      fc.property(written, ({ body, jsonBytes }) => {
        expect(typeof reader.read(Buffer.concat([body, Buffer.alloc(1)]), jsonBytes)).toBe('string');
        if (body.length > jsonBytes) expect(typeof reader.read(body.subarray(0, -1), jsonBytes)).toBe('string');
      }),
      RUNS,
    );
  });

  it('takes no harm from bytes that are changed, cut or made up', () => {
    const made = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ body: Buffer.from(bytes), jsonBytes: bytes.length })),
      fc.tuple(written, fc.nat(), fc.nat(255)).map(([{ body, jsonBytes }, at, byte]) => {
        const changed = Buffer.from(body);
        changed[at % Math.max(1, changed.length)] = byte;
        return { body: changed, jsonBytes };
      }),
      fc.tuple(written, fc.nat()).map(([{ body, jsonBytes }, at]) => {
        const cut = body.subarray(0, at % (body.length + 1));
        return { body: cut, jsonBytes: Math.min(jsonBytes, cut.length) };
      }),
    );
    fc.assert(
      fc.property(made, ({ body, jsonBytes }) => {
        const found = reader.read(body, jsonBytes);
        if (typeof found === 'string') expect(found).not.toBe('');
      }),
      { ...RUNS, numRuns: 1_500 },
    );
  });

  it('keeps nothing of an answer for the next', () => {
    const head = '{"outputs":[{"name":"y","datatype":"INT8","shape":[1],"parameters":{"binary_data_size":1}}]}';
    expect(typeof reader.read(Buffer.from(`${head}ab`), head.length)).toBe('string');
    const bare = Buffer.from('{"outputs":[{"name":"y","datatype":"INT8","shape":[1]}]}');
    expect(reader.read(bare, bare.length)).toMatch(/"data" is missing, and so is/);
    expect(plain(reader.read(Buffer.from(`${head}a`), head.length) as Tensor[])).toEqual([
      { name: 'y', datatype: 'INT8', shape: [1], data: [97] },
    ]);
  });
});

describe('jsonLength', () => {
  it.each([
    ['', 10, 10],
    ['10', 10, 10],
    ['3', 10, 3],
    ['0', 10, -1],
    ['11', 10, -1],
    ['-1', 10, -1],
    ['+3', 10, -1],
    ['3, 3', 10, -1],
    ['1e1', 10, -1],
    ['99999999999', 10, -1],
  ])('of field "%s" beside %d bytes is %d', (field, bytes, length) => {
    expect(jsonLength(field, bytes)).toBe(length);
  });
});
