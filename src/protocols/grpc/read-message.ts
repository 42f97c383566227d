import { bytesOf, detached } from '../../core/detached.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import { decodeInferRequest } from '../../wire/oip/infer-request.ts';

interface MessageToRead {
  readonly maxTensors: number;
  readonly maxTypedBytes: number;
}

/** The reading of one ModelInferRequest as a thread does it: the request without the bytes of its inputs, or why it is refused. */
export const READ_MESSAGE: Task<MessageToRead, InferenceRequest | string> = {
  name: 'grpc-infer',
  run({ maxTensors, maxTypedBytes }, bytes) {
    const request = decodeInferRequest(bytes[0]!, maxTensors, maxTypedBytes);
    if (typeof request === 'string') return { value: request, bytes: [] };
    return { value: detached(request), bytes: bytesOf(request.inputs) };
  },
};
