import type { Head, Reply } from '../../core/exchange.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { encodeStreamRefusal, readStreamedRequest, wrapStreamAnswer } from '../../wire/oip/stream-messages.ts';

/** How the reply to one message travels in its stream. */
export interface StreamFraming {
  answer(request: Uint8Array, reply: Reply): readonly Uint8Array[];
  /** One of several answers. */
  part(request: Uint8Array, reply: Reply): readonly Uint8Array[];
  /** What says that the last of several has been; null where nothing does. */
  final(request: Uint8Array, reply: Reply): readonly Uint8Array[] | null;
  /** What tells of a refusal while the stream goes on; null where its status has to end the stream. */
  refusal(request: Uint8Array, reply: Reply, head: Head): readonly Uint8Array[] | null;
}

/** Replies as they are; a refusal ends the stream. */
export const PLAIN_FRAMING: StreamFraming = {
  answer: (_request, reply) => reply.pieces,
  part: (_request, reply) => reply.pieces,
  final: () => null,
  refusal: () => null,
};

/** What an answer says of being the last one; null when its caller did not ask. */
function markOf(request: Uint8Array, isFinal: boolean): boolean | null {
  return readStreamedRequest(request).marksFinal ? isFinal : null;
}

/**
 * ModelStreamInfer: a refusal is a message like an answer, unless the caller asked for real statuses. What a unary call carries as
 * metadata stands in the parameters of the response. A caller that is no longer known loses the stream.
 */
export const INFER_FRAMING: StreamFraming = {
  answer(request, reply) {
    return wrapStreamAnswer(reply.pieces, reply.headers, markOf(request, true));
  },
  part(request, reply) {
    return wrapStreamAnswer(reply.pieces, reply.headers, markOf(request, false));
  },
  // Triton's own way: whoever asked for it gets an empty answer that is the last; to all others the end is not told.
  final(request, reply) {
    const mark = markOf(request, true);
    return mark === null ? null : wrapStreamAnswer(reply.pieces, reply.headers, mark);
  },
  refusal(request, reply, head) {
    if (reply.grpc === GrpcStatus.Unauthenticated || head.header('triton_grpc_error') === 'true') return null;
    return [encodeStreamRefusal(reply.message, readStreamedRequest(request), reply.headers)];
  },
};
