import type { RequestContext } from '../../core/context.ts';
import { attached, totalBytes } from '../../core/detached.ts';
import type { Codec, PartCodec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Offload } from '../../core/offload.ts';
import { joinInTurns, TURN_BYTES } from '../../core/turns.ts';
import { type Maybe, Phase, Verdict } from '../../core/verdict.ts';
import { decodeInferRequest, typedBytesIn } from '../../wire/oip/infer-request.ts';
import { encodeInferResponse, inferResponsePieces } from '../../wire/oip/infer-response.ts';
import { READ_MESSAGE } from './read-message.ts';
import { messageOf, writeFault, writeMessage } from './unary-reply.ts';

export interface InferCodecOptions {
  readonly maxTensors: number;
  readonly maxTypedBytes: number;
  readonly offload: Offload;
}

/** ModelInfer: the calls that reach a backend. */
export class InferCodec implements Codec {
  readonly name: string;
  readonly #o: InferCodecOptions;

  constructor(name: string, options: InferCodecOptions) {
    this.name = name;
    this.#o = options;
  }

  /** @hot */
  decode(ctx: RequestContext): Maybe<Verdict> {
    const { maxTensors, maxTypedBytes, offload } = this.#o;
    const message = messageOf(ctx);
    const { inlineBytes } = offload;
    if (message.length > inlineBytes && typedBytesIn(message, maxTensors) > inlineBytes) return this.#readAside(ctx, message);
    return take(ctx, decodeInferRequest(message, maxTensors, maxTypedBytes));
  }

  /** @hot */
  encode(ctx: RequestContext): Maybe<void> {
    const { model, id } = ctx.request!;
    const answer = { model, version: ctx.answeredBy!.name, id, outputs: ctx.prediction!.outputs };
    if (totalBytes(answer.outputs) <= TURN_BYTES) writeMessage(ctx, encodeInferResponse(answer));
    else return writeSlowly(ctx, joinInTurns(inferResponsePieces(answer)));
  }

  encodeFault(ctx: RequestContext): void {
    writeFault(ctx);
  }

  async #readAside(ctx: RequestContext, message: Uint8Array): Promise<Verdict> {
    const { maxTensors, maxTypedBytes, offload } = this.#o;
    const { value, bytes } = await offload.run(READ_MESSAGE, { maxTensors, maxTypedBytes }, [message], ctx);
    // The client may have left meanwhile.
    if (ctx.phase > Phase.Decode) return Verdict.Refuse;
    // The inputs came back in bytes of their own.
    ctx.body = [];
    return take(ctx, typeof value === 'string' ? value : attached(value, bytes));
  }
}

/** Each message of ModelStreamInfer. */
export class StreamInferCodec extends InferCodec implements PartCodec {
  encodePart(ctx: RequestContext): Maybe<void> {
    return this.encode(ctx);
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

function take(ctx: RequestContext, request: InferenceRequest | string): Verdict {
  if (typeof request === 'string') return ctx.refuse(Fault.Malformed, request);
  ctx.request = request;
  return Verdict.Next;
}

async function writeSlowly(ctx: RequestContext, message: Maybe<Uint8Array>): Promise<void> {
  writeMessage(ctx, await message);
}
