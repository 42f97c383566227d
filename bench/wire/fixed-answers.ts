/** What the backend of `bench:wire` answers, and what it is asked. */

import type { InferenceRequest } from '../../src/core/inference.ts';
import { encodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { encodeInferResponse } from '../../src/wire/oip/infer-response.ts';
import { encodeModelMetadata, encodeReady } from '../../src/wire/oip/server-messages.ts';
import { FIXED_OUTPUTS, type Question, SIGNATURES } from '../bodies.ts';

export const MODEL = 'small';
export const SERVICE = '/inference.GRPCInferenceService';

const { inputs, outputs, platform } = SIGNATURES[MODEL];

/** By path, framed. */
export const ANSWERS: ReadonlyMap<string, Uint8Array> = new Map([
  [`${SERVICE}/ModelInfer`, framed(encodeInferResponse({ model: MODEL, version: '', id: '', outputs: FIXED_OUTPUTS[MODEL] }))],
  [`${SERVICE}/ModelMetadata`, framed(encodeModelMetadata({ name: MODEL, versions: [], platform, inputs, outputs }))],
  [`${SERVICE}/ModelReady`, framed(encodeReady(true))],
]);

/** The message of a call of `model`, framed. */
export function callOf(model: string, { input }: Question): Uint8Array {
  const { name, datatype, shape, bytes } = input;
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
  return framed(encodeInferRequest(request, model, ''));
}

/** One message as gRPC has it on the wire: a flag that says "not compressed", its length, its bytes. */
export function framed(message: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(5 + message.length);
  whole.writeUInt32BE(message.length, 1);
  whole.set(message, 5);
  return whole;
}
