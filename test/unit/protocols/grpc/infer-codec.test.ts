import { describe, expect, it } from 'vitest';
import { Fault } from '../../../../src/core/faults.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import { encodeInferRequest } from '../../../../src/wire/oip/infer-request.ts';
import { decodeInferResponse } from '../../../../src/wire/oip/infer-response.ts';
import { Scene, variant } from './scene.ts';

const INPUT: Tensor = { name: 'x', datatype: 'UINT8', shape: [3], data: Uint8Array.of(1, 2, 3) };
const REQUEST: InferenceRequest = {
  task: 'predict',
  model: 'spam',
  version: '',
  id: 'call-7',
  params: new Map(),
  inputs: [INPUT],
  wanted: ['y'],
  timeoutUs: 0,
  sequenceId: '',
};
const MESSAGE = encodeInferRequest(REQUEST, 'spam', '');

describe('ModelInfer over gRPC', () => {
  it('reads a request that came in one piece without copying its tensors', () => {
    const ctx = new Scene().ask('ModelInfer', MESSAGE);
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Next);
    expect(ctx.request).toEqual(REQUEST);
    expect(ctx.request!.inputs[0]!.data.buffer).toBe(MESSAGE.buffer);
  });

  it('reads a request that was cut anywhere on its way', () => {
    for (let cut = 0; cut <= MESSAGE.length; cut++) {
      const ctx = new Scene().ask('ModelInfer', MESSAGE.subarray(0, cut), MESSAGE.subarray(cut));
      expect(ctx.codec.decode(ctx)).toBe(Verdict.Next);
      expect(ctx.request).toEqual(REQUEST);
    }
  });

  it.each([
    ['no body at all', [], 'model_name, is missing'],
    ['bytes that are no protobuf', [Uint8Array.of(0xff, 0xff)], 'byte 2: the bytes end inside a number'],
  ])('refuses %s as malformed', (_what, body, detail) => {
    const ctx = new Scene().ask('ModelInfer', ...body);
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.Malformed);
    expect(ctx.faultDetail).toContain(detail);
  });

  it('refuses more tensors than configured', () => {
    const many = encodeInferRequest({ ...REQUEST, inputs: [INPUT, INPUT] }, 'spam', '');
    const ctx = new Scene({ maxTensors: 1 }).ask('ModelInfer', many);
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.faultDetail).toContain('field 5 comes more than 1 times');
  });

  it('answers with the variant that really answered and the id of the caller', () => {
    const ctx = new Scene().ask('ModelInfer', MESSAGE);
    ctx.codec.decode(ctx);
    const outputs: Tensor[] = [{ name: 'y', datatype: 'INT64', shape: [1], data: new Uint8Array(8) }];
    ctx.prediction = { outputs, computeUs: 5 };
    ctx.variant = variant('v2', 'canary', [], true);
    ctx.answeredBy = variant('v1', 'stable', [], true);
    ctx.codec.encode(ctx);
    expect(ctx.reply).toMatchObject({ status: 200, grpc: 0, message: '', contentType: 'application/grpc' });
    expect(decodeInferResponse(Buffer.concat(ctx.reply.pieces))).toEqual({ model: 'spam', version: 'v1', id: 'call-7', outputs });
  });

  it('writes a fault as a status with its code in the metadata', () => {
    const ctx = new Scene().ask('ModelInfer', MESSAGE);
    ctx.refuse(Fault.RateLimited);
    ctx.codec.encodeFault(ctx);
    expect(ctx.reply).toMatchObject({ status: 200, grpc: 8, message: Fault.RateLimited.message, pieces: [] });
    expect(ctx.reply.headers).toEqual(['x-sluice-fault', 'RATE_LIMITED']);
  });

  it('adds the detail of a fault in a form that can be percent-encoded', () => {
    const ctx = new Scene().ask('ModelInfer', MESSAGE);
    ctx.refuse(Fault.BadRequest, 'Input "\ud800" is not known.');
    ctx.codec.encodeFault(ctx);
    expect(ctx.reply.message).toBe(`${Fault.BadRequest.message} Input "\ufffd" is not known.`);
    expect(() => encodeURIComponent(ctx.reply.message)).not.toThrow();
  });
});
