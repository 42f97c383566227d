import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitByteStrings } from '../../../../src/core/byte-strings.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { InferReader } from '../../../../src/protocols/rest/infer-reader.ts';
import { type InferBody, writeBinaryRequest, writeJsonRequest } from '../../../../src/wire/oip-rest/infer-request.ts';
import { jsonBits } from '../json-bits.ts';
import { request as anyRequest, RUNS } from '../oip/arbitraries.ts';

/** What the gateway's own REST face, which shares no code with the writer but that of the values, makes of a body. */
function read(body: InferBody): { request: InferenceRequest; binaryAnswer: boolean } {
  const whole = Buffer.concat(body.pieces);
  const reader = new InferReader(32, 16);
  const json = body.jsonBytes === -1 ? whole : whole.subarray(0, body.jsonBytes);
  const request = reader.read(json, body.jsonBytes === -1 ? null : whole.subarray(body.jsonBytes), 'there', '');
  if (request === null) throw new Error(`${reader.detail}: ${json.toString()}`);
  return { request, binaryAnswer: reader.form.binary && reader.form.others.length === 0 };
}

const plain = (tensors: readonly Tensor[]): object[] => tensors.map((tensor) => ({ ...tensor, data: [...tensor.data] }));
const sayable = (tensor: Tensor): boolean =>
  tensor.datatype !== 'BYTES' || splitByteStrings(tensor.data).every((bytes) => isUtf8(bytes));
const half = (tensor: Tensor): boolean => tensor.datatype === 'FP16' || tensor.datatype === 'BF16';

/** Texts that the reader takes: it refuses empty output names. */
const fits = (request: InferenceRequest): boolean => request.wanted.every((name) => name !== '');

describe('writeBinaryRequest', () => {
  it('writes what a reader of the protocol reads back', () => {
    fc.assert(
      fc.property(anyRequest.filter(fits), (request) => {
        const { request: found, binaryAnswer } = read(writeBinaryRequest(request));
        expect(plain(found.inputs)).toEqual(plain(request.inputs));
        expect(found.id).toBe(request.id);
        expect(found.wanted).toEqual(request.wanted);
        expect(found.params).toEqual(request.params);
        expect(binaryAnswer).toBe(true);
      }),
      RUNS,
    );
  });

  it('copies no tensor', () => {
    const data = Buffer.alloc(40);
    const input: Tensor = { name: 'x', datatype: 'FP32', shape: [10], data };
    const request = { inputs: [input], id: '', params: new Map(), wanted: [] } as unknown as InferenceRequest;
    expect(writeBinaryRequest(request).pieces.at(-1)).toBe(data);
  });
});

describe('writeJsonRequest', () => {
  it('writes what a reader of the protocol reads back', () => {
    fc.assert(
      fc.property(anyRequest.filter(fits), (drawn) => {
        const inputs = drawn.inputs.filter((tensor) => sayable(tensor) && !half(tensor)).map(jsonBits);
        const body = writeJsonRequest({ ...drawn, inputs });
        if (typeof body === 'string') throw new Error(body);
        const { request: found } = read(body);
        expect(plain(found.inputs)).toEqual(plain(inputs));
        expect(found.params).toEqual(drawn.params);
        expect(found.wanted).toEqual(drawn.wanted);
      }),
      RUNS,
    );
  });

  it('says which input has no form in JSON', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const odd = request.inputs.some((tensor) => half(tensor) || !sayable(tensor));
        const body = writeJsonRequest(request);
        if (odd) expect(body).toMatch(/^input ".*no form in the JSON/);
        else expect(typeof body).toBe('object');
      }),
      RUNS,
    );
  });
});
