import type { RequestContext } from '../../core/context.ts';
import type { AnswerCheck, Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { askedSignature } from '../signature-lookup.ts';
import type { PredictForm, PredictReader } from './predict-reader.ts';
import { predictionRefusal, writePrediction } from './predict-writer.ts';

/** `POST ...:predict`. One for each request, since the answer has the form of its question. */
export class PredictCodec implements Codec, JsonReading, AnswerCheck {
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
    ctx.answerCheck = this;
    return Verdict.Next;
  }

  refusal(ctx: RequestContext): string {
    return predictionRefusal(ctx.prediction!.outputs, this.#form);
  }

  encode(ctx: RequestContext): Maybe<void> {
    const refusal = this.refusal(ctx);
    if (refusal === '') {
      fillReply(ctx, 200, writePrediction(ctx.prediction!, this.#form).pieces());
      return packReply(ctx);
    }
    ctx.refuse(Fault.NotSupported, refusal);
    this.encodeFault(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }
}
