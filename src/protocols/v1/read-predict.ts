import { bytesOf, detached } from '../../core/detached.ts';
import type { Task as Asked, InferenceRequest } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import type { Signature } from '../../core/signature.ts';
import { type PredictForm, PredictReader } from './predict-reader.ts';

/** The reading of one body of `:predict` or `:explain` as a thread does it. */

export interface PredictToRead {
  readonly maxJsonDepth: number;
  readonly model: string;
  readonly version: string;
  readonly signature: Signature;
  readonly task: Asked;
}

export interface PredictRead {
  /** Without the bytes of its inputs; null when it is refused. */
  readonly request: InferenceRequest | null;
  readonly form: PredictForm;
  readonly detail: string;
}

export const READ_PREDICT: Task<PredictToRead, PredictRead> = {
  name: 'v1-predict',
  run({ maxJsonDepth, model, version, signature, task }, bytes) {
    const reader = new PredictReader(maxJsonDepth);
    const request = reader.read(bytes[0]!, { model, version }, signature, task);
    const { form, detail } = reader;
    if (request === null) return { value: { request, form, detail }, bytes: [] };
    return { value: { request: detached(request), form, detail }, bytes: bytesOf(request.inputs) };
  },
};
