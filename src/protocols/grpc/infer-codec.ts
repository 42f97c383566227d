import type { RequestContext } from '../../core/context.ts';
import type { Codec, PartCodec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { Verdict } from '../../core/verdict.ts';
import { decodeInferRequest } from '../../wire/oip/infer-request.ts';
import { encodeInferResponse } from '../../wire/oip/infer-response.ts';
import { messageOf, writeFault, writeMessage } from './unary-reply.ts';

/** ModelInfer: the calls that reach a backend. */
export class InferCodec implements Codec {
  readonly name: string;
  readonly #maxTensors: number;
  readonly #maxTypedBytes: number;

  constructor(name: string, maxTensors: number, maxTypedBytes: number) {
    this.name = name;
    this.#maxTensors = maxTensors;
    this.#maxTypedBytes = maxTypedBytes;
  }

  /** @hot */
  decode(ctx: RequestContext): Verdict {
    const request = decodeInferRequest(messageOf(ctx), this.#maxTensors, this.#maxTypedBytes);
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

/** Each message of ModelStreamInfer. */
export class StreamInferCodec extends InferCodec implements PartCodec {
  encodePart(ctx: RequestContext): void {
    this.encode(ctx);
  }

  /** An answer without outputs stands for the end where a caller wants it marked. */
  encodeEnd(ctx: RequestContext): void {
    if (ctx.fault !== null) {
      this.encodeFault(ctx);
      return;
    }
    const { model, id } = ctx.request!;
    writeMessage(ctx, encodeInferResponse({ model, version: ctx.answeredBy!.name, id, outputs: [] }));
  }
}
