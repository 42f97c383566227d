import { bytesOf, detached } from '../../core/detached.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import type { Signature } from '../../core/signature.ts';
import { GenerateReader } from './generate-reader.ts';

/** The reading of one body of `generate` as a thread does it. */

export interface GenerateToRead {
  readonly maxJsonDepth: number;
  readonly model: string;
  readonly version: string;
  readonly signature: Signature;
}

export interface GenerateRead {
  /** Without the bytes of its inputs; null when it is refused. */
  readonly request: InferenceRequest | null;
  readonly detail: string;
}

export const READ_GENERATE: Task<GenerateToRead, GenerateRead> = {
  name: 'rest-generate',
  run({ maxJsonDepth, model, version, signature }, bytes) {
    const reader = new GenerateReader(maxJsonDepth);
    const request = reader.read(bytes[0]!, { model, version }, signature);
    if (request === null) return { value: { request, detail: reader.detail }, bytes: [] };
    return { value: { request: detached(request), detail: '' }, bytes: bytesOf(request.inputs) };
  },
};
