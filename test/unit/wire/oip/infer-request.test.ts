import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InferenceRequest, Params } from '../../../../src/core/inference.ts';
import { decodeInferRequest, encodeInferRequest, inferRequestPieces } from '../../../../src/wire/oip/infer-request.ts';
import { name, RUNS, request, text } from './arbitraries.ts';
import { type Plain, stockDecode, stockEncode } from './stock-protobuf.ts';

const MAX_TENSORS = 8;
const MAX_TYPED_BYTES = 2_097_152;

function decoded(bytes: Uint8Array): InferenceRequest {
  const result = decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

function choiceOf(value: string | number | bigint | boolean): Plain {
  if (typeof value === 'boolean') return { bool_param: value };
  if (typeof value === 'string') return { string_param: value };
  return value <= 2n ** 63n - 1n ? { int64_param: String(value) } : { uint64_param: String(value) };
}

function plainParams(params: Params): Plain {
  return Object.fromEntries([...params].map(([key, value]) => [key, choiceOf(value)]));
}

/** What reflection should see of a request. */
function plainRequest(from: InferenceRequest): Plain {
  return {
    model_name: from.model,
    model_version: from.version,
    id: from.id,
    parameters: plainParams(from.params),
    inputs: from.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(String), parameters: {} })),
    outputs: from.wanted.map((wanted) => ({ name: wanted, parameters: {} })),
    raw_input_contents: from.inputs.map((input) => Buffer.from(input.data)),
  };
}

/** Proto3 leaves defaults out, and reflection then shows nothing. */
function withDefaults(from: Plain): Plain {
  const named = (tensor: Plain): Plain => ({ name: '', ...tensor });
  return {
    model_name: '',
    model_version: '',
    id: '',
    ...from,
    inputs: from['inputs'].map(named),
    outputs: from['outputs'].map(named),
  };
}

const INPUT: Plain = { name: 'x', datatype: 'UINT8', shape: [2], parameters: {} };
const RAW = Buffer.from([1, 2]);
const PLAIN: Plain = { model_name: 'm', inputs: [INPUT], raw_input_contents: [RAW] };

describe('encodeInferRequest', () => {
  it('writes what stock protobuf reads as the same request', () => {
    fc.assert(
      fc.property(request, name, text, (from, model, version) => {
        const bytes = encodeInferRequest(from, model, version);
        const expected = plainRequest({ ...from, model, version });
        expect(withDefaults(stockDecode('ModelInferRequest', bytes))).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('is undone by decodeInferRequest', () => {
    fc.assert(
      fc.property(request, (from) => {
        expect(decoded(encodeInferRequest(from, from.model, from.version))).toEqual(from);
      }),
      RUNS,
    );
  });

  it('replaces half a surrogate pair, which is no UTF-8', () => {
    const from = decoded(stockEncode('ModelInferRequest', PLAIN));
    const halfPair = { ...from, id: 'a\ud800', params: new Map([['sequence_id', '\udc00b']]) };
    const again = decoded(encodeInferRequest(halfPair, 'm', ''));
    expect(again.id).toBe('a\ufffd');
    expect(again.sequenceId).toBe('\ufffdb');
  });

  it('leaves the timeout to the call that carries the request', () => {
    const from = decoded(stockEncode('ModelInferRequest', { ...PLAIN, parameters: { timeout: { int64_param: 5 } } }));
    expect(from.timeoutUs).toBe(5);
    expect(stockDecode('ModelInferRequest', encodeInferRequest(from, 'm', ''))['parameters']).toEqual({});
  });
});

describe('inferRequestPieces', () => {
  it('has the same bytes as the message in one piece', () => {
    fc.assert(
      fc.property(request, fc.array(fc.integer({ min: 4_090, max: 4_100 })), name, (from, sizes, model) => {
        const large = sizes.map((size, i) => ({
          name: `${i}`,
          datatype: 'UINT8' as const,
          shape: [size],
          data: new Uint8Array(size).fill(i),
        }));
        const both = { ...from, inputs: [...from.inputs, ...large, ...from.inputs] };
        expect(Buffer.concat(inferRequestPieces(both, model, '')).equals(encodeInferRequest(both, model, ''))).toBe(true);
      }),
      RUNS,
    );
  });

  it('copies no large tensor', () => {
    const data = new Uint8Array(100_000);
    const from = {
      ...decoded(stockEncode('ModelInferRequest', PLAIN)),
      inputs: [{ name: 'x', datatype: 'UINT8' as const, shape: [1], data }],
    };
    expect(inferRequestPieces(from, 'm', '')).toContain(data);
  });
});

describe('decodeInferRequest', () => {
  it('reads what stock protobuf writes', () => {
    fc.assert(
      fc.property(request, (from) => {
        expect(decoded(stockEncode('ModelInferRequest', plainRequest(from)))).toEqual(from);
      }),
      RUNS,
    );
  });

  it('reads fields in any order', () => {
    fc.assert(
      fc.property(request, fc.infiniteStream(fc.nat()), (from, keys) => {
        const plain = plainRequest(from);
        const parts: Plain[] = [];
        for (const single of ['model_name', 'model_version', 'id', 'parameters']) parts.push({ [single]: plain[single] });
        parts.sort(() => ((keys.next().value as number) % 2) - 0.5);
        parts.splice((keys.next().value as number) % 5, 0, { inputs: plain['inputs'] });
        parts.splice((keys.next().value as number) % 6, 0, { outputs: plain['outputs'] });
        parts.splice((keys.next().value as number) % 7, 0, { raw_input_contents: plain['raw_input_contents'] });
        expect(decoded(Buffer.concat(parts.map((part) => stockEncode('ModelInferRequest', part))))).toEqual(from);
      }),
      RUNS,
    );
  });

  it('gives tensors as views on the message', () => {
    const bytes = stockEncode('ModelInferRequest', PLAIN);
    const { data } = decoded(bytes).inputs[0]!;
    expect(data.buffer).toBe(bytes.buffer);
    expect([...data]).toEqual([1, 2]);
  });

  it('takes a shape one dimension at a time, packed, or in several packs', () => {
    const input = (...shapeBytes: number[]): Buffer => {
      const body = Buffer.concat([Uint8Array.of(0x12, 5), Buffer.from('UINT8'), Uint8Array.from(shapeBytes)]);
      return Buffer.concat([stockEncode('ModelInferRequest', { model_name: 'm' }), Uint8Array.of(0x2a, body.length), body]);
    };
    for (const bytes of [input(0x18, 2, 0x18, 3), input(0x1a, 2, 2, 3), input(0x1a, 1, 2, 0x1a, 0, 0x18, 3)]) {
      expect(decoded(bytes).inputs[0]!.shape).toEqual([2, 3]);
    }
  });

  it('passes over fields of a later protocol, wherever they stand', () => {
    const later = Uint8Array.of(0xa2, 6, 2, 1, 2, 0xa8, 6, 0xff, 1, 0xa5, 6, 1, 2, 3, 4, 0xa1, 6, 1, 2, 3, 4, 5, 6, 7, 8);
    const bytes = Buffer.concat([later, stockEncode('ModelInferRequest', PLAIN), later]);
    expect(decoded(bytes).inputs[0]!.name).toBe('x');
  });

  it.each([1, 2, 3])('refuses field %i when it comes twice', (field) => {
    const twice = Buffer.from([(field << 3) | 2, 1, 0x61, (field << 3) | 2, 1, 0x61]);
    expect(decodeInferRequest(twice, MAX_TENSORS, MAX_TYPED_BYTES)).toContain(`field ${field} comes twice`);
  });

  it.each([
    ['the name of an input', 5, [0x0a, 1, 0x61, 0x0a, 1, 0x61]],
    ['the datatype of an input', 5, [0x12, 4, ...Buffer.from('BOOL'), 0x12, 4, ...Buffer.from('BOOL')]],
    ['the contents of an input', 5, [0x2a, 0, 0x2a, 0]],
    ['the name of an output', 6, [0x0a, 1, 0x61, 0x0a, 1, 0x61]],
    ['the key of a parameter', 4, [0x0a, 1, 0x61, 0x0a, 1, 0x61]],
    ['the value of a parameter', 4, [0x12, 2, 8, 1, 0x12, 2, 8, 1]],
  ])('refuses %s when it comes twice', (_what, field, body) => {
    const bytes = Uint8Array.from([(field << 3) | 2, body.length, ...body]);
    expect(decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES)).toContain('comes twice');
  });

  it('refuses equal keys in a map, of the request, an input or an output', () => {
    const entry = Buffer.from([0x0a, 1, 0x61, 0x12, 2, 8, 1]);
    const entries = (field: number): Buffer =>
      Buffer.concat([Uint8Array.of((field << 3) | 2, entry.length), entry, Uint8Array.of((field << 3) | 2, entry.length), entry]);
    const inside = (field: number, body: Buffer): Buffer => Buffer.concat([Uint8Array.of((field << 3) | 2, body.length), body]);
    for (const bytes of [entries(4), inside(5, entries(4)), inside(6, entries(2))]) {
      expect(decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES)).toContain('parameter "a" comes twice');
    }
  });

  it('refuses a parameter with two values, even of one kind', () => {
    for (const value of [
      [8, 1, 8, 1],
      [8, 0, 16, 0],
      [16, 5, 0x1a, 1, 0x61],
    ]) {
      const bytes = Uint8Array.from([0x22, value.length + 5, 0x0a, 1, 0x61, 0x12, value.length, ...value]);
      expect(decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES)).toContain('has two values');
    }
  });

  it.each([
    ['a name that is a number', [0x08, 1], 'field 1 has wire type 0, expected 2'],
    ['an input that is a number', [0x28, 1], 'field 5 has wire type 0, expected 2'],
    ['raw contents of fixed width', [0x3d, 1, 2, 3, 4], 'field 7 has wire type 5, expected 2'],
    ['a shape of fixed width', [0x2a, 5, 0x1d, 1, 2, 3, 4], 'field 3 has wire type 5, expected 2'],
    ['a bool parameter that is a string', [0x22, 4, 0x12, 2, 0x0a, 0], 'field 1 has wire type 2, expected 0'],
    ['a group', [0x0b, 0x0c], 'group'],
    ['a name that is no UTF-8', [0x0a, 1, 0xff], 'not valid UTF-8'],
    ['a parameter value that is no UTF-8', [0x22, 5, 0x12, 3, 0x1a, 1, 0xff], 'not valid UTF-8'],
    ['an input without a datatype', [0x0a, 1, 0x6d, 0x2a, 3, 0x0a, 1, 0x78], 'datatype, is missing'],
    ['a request without a model', [], 'model_name, is missing'],
  ])('refuses %s', (_what, bytes, problem) => {
    expect(decodeInferRequest(Uint8Array.from(bytes), MAX_TENSORS, MAX_TYPED_BYTES)).toContain(problem);
  });

  it.each([
    ['an unknown datatype', { inputs: [{ ...INPUT, datatype: 'FP8' }] }, 'datatype "FP8" is not one'],
    ['a negative dimension', { inputs: [{ ...INPUT, shape: [-1] }] }, 'a dimension is -1, expected 0 to'],
    [
      'a dimension past the exact numbers',
      { inputs: [{ ...INPUT, shape: ['9007199254740992'] }] },
      'a dimension is 9007199254740992',
    ],
    ['nine dimensions', { inputs: [{ ...INPUT, shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }] }, 'more than 8 dimensions'],
    ['fewer raw contents than inputs', { inputs: [INPUT, INPUT] }, 'found 1 raw contents for 2 tensors'],
    ['more raw contents than inputs', { raw_input_contents: [RAW, RAW] }, 'found 2 raw contents for 1 tensors'],
    ['raw and typed contents together', { inputs: [{ ...INPUT, contents: {} }] }, 'typed contents beside raw contents'],
    ['too many inputs', { inputs: new Array(9).fill(INPUT) }, 'field 5 comes more than 8 times'],
    ['too many outputs', { outputs: new Array(9).fill({ name: 'y' }) }, 'field 6 comes more than 8 times'],
    ['too many raw contents', { raw_input_contents: new Array(9).fill(RAW) }, 'field 7 comes more than 8 times'],
    ['a name past its limit', { model_name: 'm'.repeat(4_097) }, 'a string of 4097 bytes, at most 4096'],
    [
      'too many parameters',
      { parameters: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, { bool_param: true }])) },
      'more than 64 parameters',
    ],
    [
      'shared memory for an input',
      { inputs: [{ ...INPUT, parameters: { shared_memory_region: { string_param: 'r' } } }] },
      'tensor "x" has the parameter "shared_memory_region"; shared memory is not taken',
    ],
    [
      'shared memory for an output',
      { outputs: [{ name: 'y', parameters: { shared_memory_offset: { int64_param: 1 } } }] },
      'tensor "y" has the parameter "shared_memory_offset"',
    ],
  ])('refuses %s', (_what, change, problem) => {
    expect(decodeInferRequest(stockEncode('ModelInferRequest', { ...PLAIN, ...change }), MAX_TENSORS, MAX_TYPED_BYTES)).toContain(
      problem,
    );
  });

  it('allocates nothing for a shape that states more than came', () => {
    const shape = ['9007199254740991', '9007199254740991'];
    const bytes = stockEncode('ModelInferRequest', {
      model_name: 'm',
      inputs: [{ ...INPUT, shape, contents: { uint_contents: [7] } }],
    });
    const { inputs } = decoded(bytes);
    expect(inputs[0]!.shape).toEqual([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    expect(inputs[0]!.data).toHaveLength(1);
  });
});

describe('parameters of a request', () => {
  const withParameters = (parameters: Plain): InferenceRequest | string =>
    decodeInferRequest(stockEncode('ModelInferRequest', { ...PLAIN, parameters }), MAX_TENSORS, MAX_TYPED_BYTES);

  it('drops those that are not on the list, whatever they hold', () => {
    const result = withParameters({
      headers: { string_param: 'x'.repeat(5_000) },
      triton_enable_empty_final_response: { bool_param: true },
      shared_memory_region: { string_param: 'r' },
      weight: { double_param: 0.5 },
      nothing: {},
    });
    expect(result).toMatchObject({ params: new Map(), timeoutUs: 0, sequenceId: '' });
  });

  it.each<[string, Plain, string, Params]>([
    ['a number', { int64_param: 42 }, '42', new Map([['sequence_id', 42]])],
    [
      'an unsigned number',
      { uint64_param: '18446744073709551615' },
      '18446744073709551615',
      new Map([['sequence_id', 2n ** 64n - 1n]]),
    ],
    ['a string', { string_param: 'chat-7' }, 'chat-7', new Map([['sequence_id', 'chat-7']])],
    ['the string "0"', { string_param: '0' }, '0', new Map([['sequence_id', '0']])],
    ['zero, which means none', { int64_param: 0 }, '', new Map()],
    ['an empty string, which means none', { string_param: '' }, '', new Map()],
  ])('takes a sequence_id that is %s', (_what, choice, sequenceId, params) => {
    expect(withParameters({ sequence_id: choice })).toMatchObject({ sequenceId, params });
  });

  it('reads the timeout in microseconds and does not forward it', () => {
    expect(withParameters({ timeout: { int64_param: 250 } })).toMatchObject({ timeoutUs: 250, params: new Map() });
    expect(withParameters({ timeout: { uint64_param: '18446744073709551615' } })).toMatchObject({
      timeoutUs: Number.MAX_SAFE_INTEGER,
    });
  });

  it.each<[string, Plain, string]>([
    ['sequence_id', { bool_param: true }, 'parameter sequence_id is true, expected a string or a whole number from 0'],
    ['sequence_id', { int64_param: -1 }, 'parameter sequence_id is -1'],
    ['sequence_id', { double_param: 1.5 }, 'parameter sequence_id is 1.5'],
    ['sequence_id', {}, 'parameter sequence_id is no value'],
    ['sequence_start', { int64_param: 1 }, 'parameter sequence_start is 1, expected a bool'],
    ['sequence_end', { string_param: 'true' }, 'parameter sequence_end is "true", expected a bool'],
    ['priority', { int64_param: '-9223372036854775808' }, 'parameter priority is -9223372036854775808'],
    ['timeout', { int64_param: -5 }, 'parameter timeout is -5, expected whole microseconds from 0'],
    ['timeout', { double_param: Number.NaN }, 'parameter timeout is NaN'],
  ])('refuses %s of the wrong kind: %j', (key, choice, problem) => {
    expect(withParameters({ [key]: choice })).toContain(problem);
  });
});
