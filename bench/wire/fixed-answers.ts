/** What the backend of `bench:wire` answers, what it is asked, and whether an answer is the right one. */

import { deepStrictEqual } from 'node:assert';
import type { InferenceRequest } from '../../src/core/inference.ts';
import { encodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { decodeInferResponse, encodeInferResponse } from '../../src/wire/oip/infer-response.ts';
import { encodeModelMetadata, encodeReady } from '../../src/wire/oip/server-messages.ts';
import { FIXED_OUTPUTS, type Question, questions, SIGNATURES } from '../bodies.ts';

export const MODEL = 'small';
export const SERVICE = '/inference.GRPCInferenceService';
export const INFER = `${SERVICE}/ModelInfer`;

const { inputs, outputs, platform } = SIGNATURES[MODEL];
const OUTPUTS = FIXED_OUTPUTS[MODEL];
const REST_OUTPUTS = [{ name: 'y', datatype: 'FP32', shape: [1, 4], data: [0.125, 0.25, 0.5, 1] }];
/** What a plain HTTP proxy finds behind it, as the gateway would say it. */
export const REST_ANSWER = Buffer.from(JSON.stringify({ model_name: 'passed', model_version: 'v1', outputs: REST_OUTPUTS }));

export const restPath = (model: string): string => `/v2/models/${model}/infer`;

/** By path, as they go over the wire. */
export const ANSWERS: ReadonlyMap<string, Uint8Array> = new Map([
  [INFER, framed(encodeInferResponse({ model: MODEL, version: '', id: '', outputs: OUTPUTS }))],
  [`${SERVICE}/ModelMetadata`, framed(encodeModelMetadata({ name: MODEL, versions: [], platform, inputs, outputs }))],
  [`${SERVICE}/ModelReady`, framed(encodeReady(true))],
  [restPath('passed'), REST_ANSWER],
]);

/** The one question that all ask: sixteen numbers. */
export const QUESTION: Question = questions()[MODEL];

/** The message of a call of `model`. */
export function messageOf(model: string): Buffer {
  const { name, datatype, shape, bytes } = QUESTION.input;
  const request: InferenceRequest = {
    task: 'predict',
    model,
    version: '',
    id: '',
    params: new Map(),
    inputs: [{ name, datatype, shape, data: bytes }],
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
  };
  return Buffer.from(encodeInferRequest(request, model, ''));
}

/** One message as gRPC has it on the wire: a flag that says "not compressed", its length, its bytes. */
export function framed(message: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(5 + message.length);
  whole.writeUInt32BE(message.length, 1);
  whole.set(message, 5);
  return whole;
}

/** Why a ModelInferResponse is not the answer; empty when it is. */
export function whyStrange(message: Uint8Array): string {
  const answer = decodeInferResponse(message);
  return typeof answer === 'string' ? answer : difference(answer.outputs, OUTPUTS);
}

/** The same for the JSON of REST. */
export function whyStrangeJson(text: string): string {
  try {
    return difference((JSON.parse(text) as { readonly outputs?: unknown }).outputs, REST_OUTPUTS);
  } catch (error) {
    return (error as Error).message;
  }
}

function difference(found: unknown, expected: unknown): string {
  try {
    // Bytes are compared as values: one side's may be a view of another kind.
    deepStrictEqual(plain(found), plain(expected));
    return '';
  } catch {
    return `found ${JSON.stringify(plain(found))}; expected ${JSON.stringify(plain(expected))}`;
  }
}

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => (each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each)) ??
      'null',
  );
