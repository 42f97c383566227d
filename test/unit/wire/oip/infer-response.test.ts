import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/inference.ts';
import { decodeInferResponse, encodeInferResponse } from '../../../../src/wire/oip/infer-response.ts';
import { RUNS, tensor, text } from './arbitraries.ts';
import { type Plain, stockDecode, stockEncode } from './stock-protobuf.ts';

const answer = fc.record({ model: text, version: text, id: text, outputs: fc.array(tensor, { maxLength: 4 }) });

function plainAnswer(from: { model: string; version: string; id: string; outputs: readonly Tensor[] }): Plain {
  return {
    model_name: from.model,
    model_version: from.version,
    id: from.id,
    parameters: {},
    outputs: from.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(String), parameters: {} })),
    raw_output_contents: from.outputs.map((output) => Buffer.from(output.data)),
  };
}

const OUTPUT: Plain = { name: 'y', datatype: 'FP32', shape: [1] };

describe('encodeInferResponse', () => {
  it('writes what stock protobuf reads as the same answer', () => {
    fc.assert(
      fc.property(answer, (from) => {
        const seen = stockDecode('ModelInferResponse', encodeInferResponse(from));
        expect({ model_name: '', model_version: '', id: '', ...seen }).toEqual(plainAnswer(from));
      }),
      RUNS,
    );
  });
});

describe('decodeInferResponse', () => {
  it('undoes encodeInferResponse', () => {
    fc.assert(
      fc.property(answer, (from) => {
        expect(decodeInferResponse(encodeInferResponse(from))).toEqual(from);
      }),
      RUNS,
    );
  });

  it('reads what stock protobuf writes', () => {
    fc.assert(
      fc.property(answer, (from) => {
        expect(decodeInferResponse(stockEncode('ModelInferResponse', plainAnswer(from)))).toEqual(from);
      }),
      RUNS,
    );
  });

  it('reads typed contents of a backend that sends no raw ones', () => {
    const outputs = [
      { ...OUTPUT, contents: { fp32_contents: [0.5] } },
      { name: 'label', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('ham')] } },
    ];
    const result = decodeInferResponse(stockEncode('ModelInferResponse', { outputs }));
    expect(result).toMatchObject({
      outputs: [
        { name: 'y', data: Uint8Array.of(0, 0, 0, 63) },
        { name: 'label', data: Uint8Array.of(3, 0, 0, 0, 104, 97, 109) },
      ],
    });
  });

  it('takes empty typed contents beside raw ones for none, as MLServer sends them', () => {
    const plain = { outputs: [{ ...OUTPUT, contents: {} }], raw_output_contents: [Buffer.alloc(4)] };
    expect(decodeInferResponse(stockEncode('ModelInferResponse', plain))).toMatchObject({
      outputs: [{ data: new Uint8Array(4) }],
    });
  });

  it('drops the parameters of an answer and of its outputs', () => {
    const parameters = { triton_final_response: { bool_param: true } };
    const plain = { parameters, outputs: [{ ...OUTPUT, parameters }], raw_output_contents: [Buffer.alloc(4)] };
    const result = decodeInferResponse(stockEncode('ModelInferResponse', plain));
    expect(result).toEqual({
      model: '',
      version: '',
      id: '',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: new Uint8Array(4) }],
    });
  });

  it.each([
    ['a name that comes twice', Uint8Array.of(0x0a, 1, 0x61, 0x0a, 1, 0x61), 'field 1 comes twice'],
    [
      'a datatype nobody knows',
      stockEncode('ModelInferResponse', { outputs: [{ ...OUTPUT, datatype: 'fp32' }] }),
      'datatype "fp32"',
    ],
    ['a negative dimension', stockEncode('ModelInferResponse', { outputs: [{ ...OUTPUT, shape: [-1] }] }), 'a dimension is -1'],
    [
      'raw contents that are not one for each output',
      stockEncode('ModelInferResponse', { outputs: [OUTPUT], raw_output_contents: [Buffer.alloc(4), Buffer.alloc(4)] }),
      'found 2 raw contents for 1 tensors',
    ],
    [
      'typed contents beside raw ones',
      stockEncode('ModelInferResponse', {
        outputs: [{ ...OUTPUT, contents: { fp32_contents: [1] } }],
        raw_output_contents: [Buffer.alloc(4)],
      }),
      'typed contents beside raw contents',
    ],
    [
      'more outputs than any model has',
      stockEncode('ModelInferResponse', { outputs: new Array(1_025).fill(OUTPUT) }),
      'field 5 comes more than 1024 times',
    ],
    ['an HTML page', Buffer.from('<html><body>502 Bad Gateway</body></html>'), 'ModelInferResponse, byte'],
  ])('refuses %s', (_what, bytes, problem) => {
    expect(decodeInferResponse(bytes)).toContain(problem);
  });
});
