import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitByteStrings } from '../../../../src/core/byte-strings.ts';
import { DATATYPES, type Datatype, elementCount } from '../../../../src/core/datatype.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import type { Signature, TensorSpec } from '../../../../src/core/signature.ts';
import { answered, requestOf } from '../http-fakes.ts';

/** Datatypes that JSON can say. */
const SAYABLE = DATATYPES.filter((datatype) => datatype !== 'FP16' && datatype !== 'BF16');

/** One value of a datatype, as JSON text. */
function jsonValue(datatype: Datatype): fc.Arbitrary<string> {
  switch (datatype) {
    case 'BOOL':
      return fc.boolean().map(String);
    case 'BYTES':
      return fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => JSON.stringify(text));
    case 'FP32':
      return fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
    case 'FP64':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
    case 'INT64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    case 'UINT64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    default: {
      const bits = Number(/\d+/.exec(datatype)![0]);
      const signed = datatype.startsWith('I');
      const max = 2 ** (signed ? bits - 1 : bits) - 1;
      return fc.integer({ min: signed ? -max - 1 : 0, max }).map(String);
    }
  }
}

interface Column {
  readonly spec: TensorSpec;
  readonly inner: readonly number[];
  readonly values: readonly string[];
}

interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

const tables: fc.Arbitrary<Table> = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    shapes: fc.array(
      fc.record({ datatype: fc.constantFrom(...SAYABLE), inner: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  })
  .chain(({ rows, shapes }) =>
    fc
      .tuple(
        ...shapes.map(({ datatype, inner }) => {
          const count = rows * elementCount(inner);
          return fc.array(jsonValue(datatype), { minLength: count, maxLength: count });
        }),
      )
      .map((values) => ({
        rows,
        columns: shapes.map(({ datatype, inner }, i) => ({
          spec: { name: `in${i}`, datatype, shape: [-1, ...inner.map(() => -1)] },
          inner,
          values: values[i]!,
        })),
      })),
  );

/** Values as nested JSON arrays of `shape`. */
function nest(values: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return values[0]!;
  const each = values.length / shape[0]!;
  const parts = Array.from({ length: shape[0]! }, (_, i) => nest(values.slice(i * each, (i + 1) * each), shape.slice(1)));
  return `[${parts.join(',')}]`;
}

function rowsOf({ rows, columns }: Table): string {
  const row = (r: number): string => {
    const parts = columns.map(({ spec, inner, values }) => {
      const each = values.length / rows;
      return `"${spec.name}":${nest(values.slice(r * each, (r + 1) * each), inner)}`;
    });
    return `{${parts.join(',')}}`;
  };
  return `{"instances":[${Array.from({ length: rows }, (_, r) => row(r)).join(',')}]}`;
}

function columnsOf({ rows, columns }: Table): string {
  return `{"inputs":{${columns.map(({ spec, inner, values }) => `"${spec.name}":${nest(values, [rows, ...inner])}`).join(',')}}}`;
}

function v2Of({ rows, columns }: Table): string {
  const inputs = columns.map(({ spec, inner, values }) => {
    const shape = [rows, ...inner];
    return `{"name":"${spec.name}","datatype":"${spec.datatype}","shape":[${shape.join(',')}],"data":[${values.join(',')}]}`;
  });
  return `{"inputs":[${inputs.join(',')}]}`;
}

const signatureOf = ({ columns }: Table): Signature => ({
  platform: 'any',
  decoupled: false,
  inputs: columns.map(({ spec }) => spec),
  outputs: [{ name: 'out', datatype: 'FP32', shape: [-1] }],
});

async function read(path: string, body: string, signature: Signature): Promise<InferenceRequest> {
  const request = await requestOf({ path, body, signature });
  if (typeof request === 'string') throw new Error(`${request} for ${body}`);
  return request;
}

/** With bytes as plain text, so that a difference can be read. */
const plain = (request: InferenceRequest) => ({
  ...request,
  params: [...request.params],
  inputs: request.inputs.map((input) => ({ ...input, data: Buffer.from(input.data).toString('hex') })),
});

describe('the same tensors', () => {
  it('become the same request from instances, from inputs and from v2', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        const signature = signatureOf(table);
        const v2 = plain(await read('/v2/models/made/infer', v2Of(table), signature));
        expect(plain(await read('/v1/models/made:predict', rowsOf(table), signature))).toEqual(v2);
        expect(plain(await read('/v1/models/made:predict', columnsOf(table), signature))).toEqual(v2);
        if (table.columns.length > 1) return;
        const { inner, values } = table.columns[0]!;
        const bare = nest(values, [table.rows, ...inner]);
        expect(plain(await read('/v1/models/made:predict', `{"instances":${bare}}`, signature))).toEqual(v2);
        expect(plain(await read('/v1/models/made:predict', `{"inputs":${bare}}`, signature))).toEqual(v2);
      }),
      { numRuns: 400 },
    );
  });

  it('are written so that they read back as the same', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.boolean(), async (table, byRow) => {
        const signature = signatureOf(table);
        const request = await read('/v1/models/made:predict', columnsOf(table), signature);
        const asked = { path: '/v1/models/made:predict', body: byRow ? rowsOf(table) : columnsOf(table), signature };
        const { text } = await answered(asked, request.inputs as Tensor[]);
        // What a model gives back as it came is, under the name of a request, that request.
        const echoed = text.replace(/^\{"predictions"/, '{"instances"').replace(/^\{"outputs"/, '{"inputs"');
        expect(plain(await read('/v1/models/made:predict', echoed, signature))).toEqual(plain(request));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a damaged V1 body', () => {
  const SEEDS = [
    '{"signature_name":"serving_default","instances":[{"name":"a","ids":[1,2]},{"name":{"b64":"aGk="},"ids":[3,9007199254740993]}]}',
    '{"inputs":{"name":["a","\\u00e9\\n"],"ids":[[1,2],[3,-4]]},"x":{"y":[1,{"z":null}]}}',
    '{"instances":[[1,2.5e3,NaN],[[]],{"b64":"/w=="}]}',
  ];
  const piece = fc.constantFrom(
    '',
    '[',
    ']',
    '{',
    '}',
    '"',
    ',',
    ':',
    '0',
    '1e9',
    'null',
    '\\',
    '\\ud800',
    '-Infinity',
    '\xff',
    '{"b64":"',
    '[[',
  );
  const edit = fc.record({ at: fc.nat(140), cut: fc.nat(4), put: piece });

  it('throws nothing, and gives inputs no more bytes than it could hold', async () => {
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SEEDS), fc.array(edit, { maxLength: 4 }), async (seed, edits) => {
        let body = Buffer.from(seed, 'latin1');
        for (const { at, cut, put } of edits) {
          body = Buffer.concat([body.subarray(0, at), Buffer.from(put, 'latin1'), body.subarray(at + cut)]);
        }
        const request = await requestOf({ method: 'POST', path: '/v1/models/people:predict', body });
        if (typeof request === 'string') {
          expect(request).toMatch(/^MALFORMED: ./);
          outcomes.refused++;
          return;
        }
        outcomes.read++;
        for (const { datatype, shape, data } of request.inputs) {
          expect(data.length).toBeLessThanOrEqual(body.length * 8);
          if (datatype === 'BYTES') expect(splitByteStrings(data)).toHaveLength(elementCount(shape));
          else expect(data.length).toBe(elementCount(shape) * 8);
        }
      }),
      { numRuns: 6_000 },
    );
    expect(outcomes.read).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(1_000);
  });

  it('throws nothing when it is any JSON at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.constantFrom('instances', 'inputs'), async (json, key) => {
        const request = await requestOf({ path: '/v1/models/people:predict', body: `{"${key}":${json}}` });
        if (typeof request === 'string') expect(request).toMatch(/^MALFORMED: ./);
      }),
      { numRuns: 1_500 },
    );
  });
});
