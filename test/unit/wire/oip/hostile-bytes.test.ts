import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import { decodeInferRequest, encodeInferRequest } from '../../../../src/wire/oip/infer-request.ts';
import { decodeInferResponse, encodeInferResponse } from '../../../../src/wire/oip/infer-response.ts';
import {
  decodeEmpty,
  decodeModelMetadata,
  decodeModelNameRequest,
  decodeReady,
  decodeServerMetadata,
} from '../../../../src/wire/oip/server-messages.ts';
import { RUNS, request, tensor } from './arbitraries.ts';
import { type Plain, stockDecode, stockEncode } from './stock-protobuf.ts';

const MAX_TENSORS = 8;
const MAX_TYPED_BYTES = 2_097_152;

/** One message with something in every field, typed contents of every kind among it. */
const TYPED: Buffer = stockEncode('ModelInferRequest', {
  model_name: 'modèle',
  model_version: '2',
  id: 'id-1',
  parameters: {
    sequence_id: { uint64_param: '12345678901234567890' },
    sequence_start: { bool_param: true },
    other: { double_param: 2.5 },
  },
  inputs: [
    { name: 'a', datatype: 'BOOL', shape: [2], contents: { bool_contents: [true, false] } },
    { name: 'b', datatype: 'INT16', shape: [2], contents: { int_contents: [-300, 300] } },
    { name: 'c', datatype: 'INT64', shape: [1], contents: { int64_contents: ['-9007199254740993'] } },
    { name: 'd', datatype: 'FP32', shape: [1], parameters: { p: { string_param: 's' } }, contents: { fp32_contents: [1.5] } },
    { name: 'e', datatype: 'FP64', shape: [1], contents: { fp64_contents: [1.5] } },
    { name: 'f', datatype: 'BYTES', shape: [2], contents: { bytes_contents: [Buffer.from('ab'), Buffer.alloc(0)] } },
  ],
  outputs: [{ name: 'y', parameters: { classification: { int64_param: 3 } } }],
});

/** Whatever we take, a stock reader reads as the same request: else one model would be authorised and another run. */
function sameAsStock(bytes: Uint8Array): void {
  const ours = decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES);
  if (typeof ours === 'string') {
    expect(ours.length).toBeLessThan(1_000);
    return;
  }
  const stock = stockDecode('ModelInferRequest', bytes);
  expect([ours.model, ours.version, ours.id]).toEqual([stock['model_name'], stock['model_version'] ?? '', stock['id'] ?? '']);
  const named = ours.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(String) }));
  expect(named).toEqual(stock['inputs'].map(({ name = '', datatype, shape }: Plain) => ({ name, datatype, shape })));
  expect(ours.wanted).toEqual(stock['outputs'].map(({ name = '' }: Plain) => name));
  if (stock['raw_input_contents'].length > 0) {
    expect(ours.inputs.map(({ data }) => Buffer.from(data))).toEqual(stock['raw_input_contents'].map(Buffer.from));
  } else {
    const raws = stock['inputs'].map(({ datatype, contents }: Plain) => rawOf(datatype, contents ?? {}));
    expect(ours.inputs.map(({ data }) => Buffer.from(data))).toEqual(raws);
  }
  // Eight bytes for a one-byte INT64 are the most that any element grows.
  const size = ours.inputs.reduce((sum, { data }) => sum + data.length, 0);
  expect(size).toBeLessThanOrEqual(8 * bytes.length);
}

/** The field and the array that hold the elements of each datatype. */
const LAYOUTS: Readonly<Record<string, readonly [string, (values: never[]) => ArrayBufferView]>> = {
  BOOL: ['bool_contents', (values) => Uint8Array.from(values, Number)],
  INT8: ['int_contents', (values) => Int8Array.from(values)],
  INT16: ['int_contents', (values) => Int16Array.from(values)],
  INT32: ['int_contents', (values) => Int32Array.from(values)],
  INT64: ['int64_contents', (values) => BigInt64Array.from(values, BigInt)],
  UINT8: ['uint_contents', (values) => Uint8Array.from(values)],
  UINT16: ['uint_contents', (values) => Uint16Array.from(values)],
  UINT32: ['uint_contents', (values) => Uint32Array.from(values)],
  UINT64: ['uint64_contents', (values) => BigUint64Array.from(values, BigInt)],
  FP32: ['fp32_contents', (values) => Float32Array.from(values)],
  FP64: ['fp64_contents', (values) => Float64Array.from(values)],
  BYTES: ['bytes_contents', joinByteStrings],
};

/** What typed contents, as stock protobuf reads them, would have been as raw ones. */
function rawOf(datatype: string, contents: Plain): Buffer {
  const layout = LAYOUTS[datatype];
  if (layout === undefined) return Buffer.alloc(0);
  const view = layout[1](contents[layout[0]] ?? []);
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function decodeAll(bytes: Uint8Array): void {
  decodeInferResponse(bytes);
  decodeModelMetadata(bytes);
  decodeModelNameRequest(bytes);
  decodeReady(bytes);
  decodeServerMetadata(bytes);
  decodeEmpty(bytes);
}

/** Overwrites, inserts, deletes or copies a few bytes: the edits that turn one structure into another. */
const edits = fc.array(fc.record({ at: fc.nat(), kind: fc.nat({ max: 3 }), byte: fc.nat({ max: 255 }) }), {
  minLength: 1,
  maxLength: 4,
});
type Edits = typeof edits extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function mutated(bytes: Uint8Array, changes: Edits): Buffer {
  const out = [...bytes];
  for (const { at, kind, byte } of changes) {
    const index = at % (out.length + 1);
    if (kind === 0) out[index] = byte;
    else if (kind === 1) out.splice(index, 0, byte);
    else if (kind === 2) out.splice(index, 1 + (byte % 3));
    else out.splice(index, 0, ...out.slice(index, index + (byte % 24)));
  }
  return Buffer.from(out);
}

describe('bytes of a hostile caller', () => {
  it('never throw and never differ from a stock reader when cut anywhere', () => {
    for (let end = 0; end <= TYPED.length; end++) sameAsStock(TYPED.subarray(0, end));
    fc.assert(
      fc.property(request, (from) => {
        const bytes = encodeInferRequest(from, from.model, from.version);
        for (let end = 0; end < bytes.length; end++) sameAsStock(bytes.subarray(0, end));
      }),
      { ...RUNS, numRuns: 30 },
    );
  });

  it('never throw and never differ from a stock reader when altered', () => {
    fc.assert(
      fc.property(edits, (changes) => {
        sameAsStock(mutated(TYPED, changes));
      }),
      { ...RUNS, numRuns: 6_000 },
    );
    fc.assert(
      fc.property(request, edits, (from, changes) => {
        sameAsStock(mutated(encodeInferRequest(from, from.model, ''), changes));
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });

  it('never throw as anything else either', () => {
    fc.assert(
      fc.property(fc.array(tensor, { maxLength: 3 }), edits, (outputs, changes) => {
        const bytes = mutated(encodeInferResponse({ model: 'm', version: 'v', id: '', outputs }), changes);
        decodeAll(bytes);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeAll(bytes);
        sameAsStock(bytes);
      }),
      { ...RUNS, numRuns: 3_000 },
    );
  });

  it('cost no more than their length when they nest or repeat', () => {
    const nested = new Uint8Array(200_000).fill(0x2a);
    expect(typeof decodeInferRequest(nested, MAX_TENSORS, MAX_TYPED_BYTES)).toBe('string');
    const packedOnes = new Uint8Array(200_000).fill(1);
    const shape = Buffer.concat([Buffer.from([0x2a, 0xc4, 0x9a, 0x0c, 0x1a, 0xc0, 0x9a, 0x0c]), packedOnes]);
    expect(decodeInferRequest(shape, MAX_TENSORS, MAX_TYPED_BYTES)).toContain('more than 8 dimensions');
    const groups = new Uint8Array(200_000).fill(0x0b);
    expect(decodeInferRequest(groups, MAX_TENSORS, MAX_TYPED_BYTES)).toContain('group');
  });
});
