import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { Verdict } from '../../core/verdict.ts';
import { decodeInferRequest } from '../../wire/oip/infer-request.ts';
import { encodeInferResponse } from '../../wire/oip/infer-response.ts';
import { messageOf, writeFault, writeMessage } from './unary-reply.ts';

/** ModelInfer: the one call that reaches a backend. */
export class InferCodec implements Codec {
  readonly name = 'grpc_infer';
  readonly #maxTensors: number;

  constructor(maxTensors: number) {
    this.#maxTensors = maxTensors;
  }

  /** @hot */
  decode(ctx: RequestContext): Verdict {
    const request = decodeInferRequest(messageOf(ctx), this.#maxTensors);
    if (typeof request === 'string') return ctx.refuse(Fault.Malformed, request);
    ctx.request = request;
    return Verdict.Next;
  }

  /** @hot */
  encode(ctx: RequestContext): void {
    const { model, id } = ctx.request!;
    writeMessage(ctx, encodeInferResponse({ model, version: ctx.answeredBy!.name, id, outputs: ctx.prediction!.outputs }));
  }

  encodeFault(ctx: RequestContext): void {
    writeFault(ctx);
  }
}
