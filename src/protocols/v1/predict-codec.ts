import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { askedSignature } from '../signature-lookup.ts';
import type { PredictForm, PredictReader } from './predict-reader.ts';
import { writePrediction } from './predict-writer.ts';

/** `POST ...:predict`. One for each request, since the answer has the form of its question. */
export class PredictCodec implements Codec, JsonReading {
  readonly name = 'v1-predict';
  readonly #body: JsonBody;
  readonly #reader: PredictReader;
  #form: PredictForm = 'instances';

  constructor(body: JsonBody, reader: PredictReader) {
    this.#body = body;
    this.#reader = reader;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Verdict {
    const signature = askedSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    const reader = this.#reader;
    const request = reader.read(json, ctx.match, signature, 'predict');
    if (request === null) return ctx.refuse(Fault.Malformed, reader.detail);
    this.#form = reader.form;
    ctx.request = request;
    return Verdict.Next;
  }

  encode(ctx: RequestContext): Maybe<void> {
    const written = writePrediction(ctx.prediction!, this.#form);
    if (typeof written !== 'string') {
      fillReply(ctx, 200, written.pieces());
      return packReply(ctx);
    }
    // The answer is right and cannot be said in this protocol.
    ctx.refuse(Fault.NotSupported, written);
    this.encodeFault(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }
}
