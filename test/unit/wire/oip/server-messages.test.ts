import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEmpty,
  decodeModelMetadata,
  decodeModelNameRequest,
  decodeReady,
  decodeServerMetadata,
  encodeEmpty,
  encodeModelMetadata,
  encodeModelNameRequest,
  encodeReady,
  encodeServerMetadata,
} from '../../../../src/wire/oip/server-messages.ts';
import { datatype, RUNS, text } from './arbitraries.ts';
import { type Plain, stockDecode, stockEncode } from './stock-protobuf.ts';

const spec = fc.record({ name: text, datatype, shape: fc.array(fc.integer({ min: -1, max: 2 ** 31 }), { maxLength: 8 }) });
const specs = fc.array(spec, { maxLength: 3 });
const metadata = fc.record({
  name: text,
  versions: fc.array(text, { maxLength: 3 }),
  platform: text,
  inputs: specs,
  outputs: specs,
});

function plainMetadata(from: Plain): Plain {
  const plainSpec = (one: Plain): Plain => ({ ...one, shape: one['shape'].map(String) });
  return { ...from, inputs: from['inputs'].map(plainSpec), outputs: from['outputs'].map(plainSpec), properties: {} };
}

describe('ModelReadyRequest and ModelMetadataRequest', () => {
  it('travel both ways between us and stock protobuf', () => {
    fc.assert(
      fc.property(text, text, (name, version) => {
        for (const message of ['ModelReadyRequest', 'ModelMetadataRequest']) {
          const bytes = encodeModelNameRequest(name, version);
          expect({ name: '', version: '', ...stockDecode(message, bytes) }).toEqual({ name, version });
          expect(decodeModelNameRequest(stockEncode(message, { name, version }))).toEqual({ name, version });
        }
      }),
      RUNS,
    );
  });

  it('are refused when a model is named twice', () => {
    expect(decodeModelNameRequest(Uint8Array.of(0x0a, 1, 0x61, 0x0a, 1, 0x62))).toContain('field 1 comes twice');
  });
});

describe('the answers that hold one bit', () => {
  it.each([
    ['ServerLiveResponse', 'live'],
    ['ServerReadyResponse', 'ready'],
    ['ModelReadyResponse', 'ready'],
  ])('travel both ways: %s', (message, field) => {
    for (const value of [true, false]) {
      expect(stockDecode(message, encodeReady(value))[field] ?? false).toBe(value);
      expect(decodeReady(stockEncode(message, { [field]: value }))).toBe(value);
    }
  });

  it('are refused with a wrong wire type or the bit twice', () => {
    expect(decodeReady(Uint8Array.of(0x0a, 0))).toContain('wire type 2, expected 0');
    expect(decodeReady(Uint8Array.of(8, 0, 8, 1))).toContain('field 1 comes twice');
  });
});

describe('messages that hold nothing', () => {
  it('may carry fields of a later protocol and no garbage', () => {
    expect(encodeEmpty()).toHaveLength(0);
    expect(decodeEmpty(encodeEmpty())).toBe('');
    expect(decodeEmpty(Uint8Array.of(8, 1))).toBe('');
    expect(decodeEmpty(Uint8Array.of(8))).toContain('end inside a number');
  });
});

describe('ServerMetadataResponse', () => {
  it('travels both ways between us and stock protobuf', () => {
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 3 }), (name, version, extensions) => {
        const from = { name, version, extensions };
        expect({ name: '', version: '', ...stockDecode('ServerMetadataResponse', encodeServerMetadata(from)) }).toEqual(from);
        expect(decodeServerMetadata(stockEncode('ServerMetadataResponse', from))).toEqual(from);
      }),
      RUNS,
    );
  });
});

describe('ModelMetadataResponse', () => {
  it('is written as stock protobuf reads it', () => {
    fc.assert(
      fc.property(metadata, (from) => {
        const seen = stockDecode('ModelMetadataResponse', encodeModelMetadata(from));
        const named = (one: Plain): Plain => ({ name: '', ...one });
        const withDefaults = {
          name: '',
          platform: '',
          ...seen,
          inputs: seen['inputs'].map(named),
          outputs: seen['outputs'].map(named),
        };
        expect(withDefaults).toEqual(plainMetadata(from));
      }),
      RUNS,
    );
  });

  it('is read as stock protobuf writes it, without its properties', () => {
    fc.assert(
      fc.property(metadata, (from) => {
        const plain = { ...plainMetadata(from), properties: { a: 'x', b: '' } };
        expect(decodeModelMetadata(stockEncode('ModelMetadataResponse', plain))).toEqual(from);
      }),
      RUNS,
    );
  });

  it.each<[string, Uint8Array, string]>([
    ['a platform that comes twice', Uint8Array.of(0x1a, 1, 0x61, 0x1a, 1, 0x61), 'field 3 comes twice'],
    ['a property that comes twice', Uint8Array.of(0x32, 3, 0x0a, 1, 0x61, 0x32, 3, 0x0a, 1, 0x61), 'parameter "a" comes twice'],
    [
      'a dimension below -1',
      stockEncode('ModelMetadataResponse', { inputs: [{ datatype: 'FP32', shape: [-2] }] }),
      'a dimension is -2, expected -1 to',
    ],
    [
      'a datatype nobody knows',
      stockEncode('ModelMetadataResponse', { inputs: [{ datatype: 'TYPE_FP32' }] }),
      'datatype "TYPE_FP32"',
    ],
    ['an input without a datatype', stockEncode('ModelMetadataResponse', { inputs: [{ name: 'x' }] }), 'datatype, is missing'],
    [
      'more versions than any model has',
      stockEncode('ModelMetadataResponse', { versions: new Array(1_025).fill('1') }),
      'field 2 comes more than 1024 times',
    ],
  ])('is refused with %s', (_what, bytes, problem) => {
    expect(decodeModelMetadata(bytes)).toContain(problem);
  });
});
