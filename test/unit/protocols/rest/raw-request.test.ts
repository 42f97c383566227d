import { describe, expect, it } from 'vitest';
import { BINARY_ANSWER } from '../../../../src/core/answer-form.ts';
import type { InferenceRequest } from '../../../../src/core/inference.ts';
import { decodeNow } from './binary-fakes.ts';
import { contextOf, rest } from './rest-fakes.ts';

const RAW = { 'inference-header-content-length': '0', 'content-type': 'application/octet-stream' };

function rawOf(model: string, body: Uint8Array): InferenceRequest {
  const ctx = decodeNow(RAW, [body], model);
  expect(ctx.faultDetail).toBe('');
  expect(ctx.answerForm).toBe(BINARY_ANSWER);
  return ctx.request!;
}

const inputOf = (model: string, body: Uint8Array): object => {
  const { name, datatype, shape, data } = rawOf(model, body).inputs[0]!;
  return { name, datatype, shape, data: [...data] };
};

describe('a raw body', () => {
  it('is one row of the one input of the model, without a copy, and asks for binary outputs', () => {
    const body = Buffer.alloc(16, 1);
    const request = rawOf('digits', body);
    expect(request).toEqual({
      task: 'predict',
      model: 'digits',
      version: '',
      id: '',
      params: new Map(),
      inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 4], data: body }],
      wanted: [],
      timeoutUs: 0,
      sequenceId: '',
    });
    expect(request.inputs[0]!.data.buffer).toBe(body.buffer);
  });

  it('may be announced by the content type of SageMaker, or together with one of JSON', () => {
    const body = [Buffer.alloc(16)];
    const type = 'application/vnd.sagemaker-triton.binary+json;json-header-size=0';
    expect(decodeNow({ 'content-type': type }, body).request?.inputs).toHaveLength(1);
    expect(decodeNow({ ...RAW, 'content-type': '' }, body).request?.inputs).toHaveLength(1);
  });

  it('takes its size where one more dimension is free', () => {
    expect(inputOf('line', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toEqual({
      name: 'x',
      datatype: 'INT16',
      shape: [1, 2, 2],
      data: [1, 2, 3, 4, 5, 6, 7, 8],
    });
    expect(inputOf('line', new Uint8Array(0))).toMatchObject({ shape: [1, 2, 0] });
  });

  it('keeps a shape that is fixed, and leaves the comparison of sizes to the contract', () => {
    expect(inputOf('fixed', Uint8Array.of(1))).toEqual({ name: 'x', datatype: 'FP64', shape: [2], data: [1] });
  });

  it('is one string, without a length in front, where the model takes BYTES', () => {
    expect(inputOf('text', Buffer.from('é'))).toEqual({
      name: 'x',
      datatype: 'BYTES',
      shape: [1, 1],
      data: [2, 0, 0, 0, 0xc3, 0xa9],
    });
  });

  it.each([
    [
      'plane',
      8,
      'The shape of input "x", [-1,-1,-1], cannot be told from a raw body; send a JSON head: more than one dimension is free.',
    ],
    [
      'line',
      6,
      'The shape of input "x", [-1,2,-1], cannot be told from a raw body; send a JSON head: 6 bytes are no multiple of 4.',
    ],
    ['texts', 3, 'The shape of input "x", [-1,2], cannot be told from a raw body; send a JSON head: a raw body is one string.'],
    ['pair', 2, 'A raw body is one input, but the model has 2: send a JSON head.'],
  ])('is refused for the model %s with %i bytes', (model, size, detail) => {
    const ctx = decodeNow(RAW, [new Uint8Array(size)], model);
    expect(`${ctx.fault!.code}: ${ctx.faultDetail}`).toBe(`BAD_REQUEST: ${detail}`);
  });

  it('tells as little of a forbidden model as of one that does not exist', () => {
    const refusal = (model: string, models: readonly string[]): unknown[] => {
      const path = `/v2/models/${model}/infer`;
      const ctx = contextOf(rest(), { method: 'POST', path, fields: RAW, body: [new Uint8Array(16)], models });
      ctx.codec.decode(ctx);
      return [ctx.fault!.code, ctx.faultDetail];
    };
    expect(refusal('digits', [])).toEqual(['NOT_FOUND', '']);
    expect(refusal('nothing', ['nothing'])).toEqual(['NOT_FOUND', '']);
    expect(refusal('cold', ['cold'])).toEqual(['NO_VARIANT', 'It is still warming.']);
  });
});
