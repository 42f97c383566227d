import type { AnswerForm } from '../../core/answer-form.ts';
import { bytesOf, detached } from '../../core/detached.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import { InferReader } from './infer-reader.ts';

/** The reading of one infer body as a thread does it. */

export interface InferToRead {
  readonly maxJsonDepth: number;
  readonly maxTensors: number;
  readonly model: string;
  readonly version: string;
  /** Bytes at the start that are JSON; the rest are tensors, if `hasTail`. */
  readonly jsonBytes: number;
  readonly hasTail: boolean;
}

export interface InferRead {
  /** Without the bytes of its inputs; null when it is refused. */
  readonly request: InferenceRequest | null;
  readonly form: AnswerForm;
  readonly detail: string;
}

export const READ_INFER: Task<InferToRead, InferRead> = {
  name: 'rest-infer',
  run(asked, bytes) {
    const body = bytes[0]!;
    const json = body.subarray(0, asked.jsonBytes);
    const tail = asked.hasTail ? body.subarray(asked.jsonBytes) : null;
    const reader = new InferReader(asked.maxJsonDepth, asked.maxTensors);
    const request = reader.read(json, tail, asked.model, asked.version);
    const { form, detail } = reader;
    if (request === null) return { value: { request, form, detail }, bytes: [] };
    return { value: { request: detached(request), form, detail }, bytes: bytesOf(request.inputs) };
  },
};
