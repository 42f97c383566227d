import type { RequestContext } from '../../core/context.ts';
import { bytesOf, headsOf, totalBytes } from '../../core/detached.ts';
import type { AnswerCheck, Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Signature } from '../../core/signature.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { noteLateFault } from '../late-fault.ts';
import { fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { askedSignature } from '../signature-lookup.ts';
import { isLongText } from '../tensor-texts.ts';
import { type PredictAside, readAside } from './predict-aside.ts';
import type { PredictForm, PredictReader } from './predict-reader.ts';
import { predictionRefusal, writePrediction } from './predict-writer.ts';
import { WRITE_PREDICT } from './write-predict.ts';

/** `POST ...:predict`. One for each request, since the answer has the form of its question. */
export class PredictCodec implements Codec, JsonReading, AnswerCheck {
  readonly name = 'v1-predict';
  readonly #body: JsonBody;
  readonly #reader: PredictReader;
  readonly #aside: PredictAside;
  #form: PredictForm = 'instances';

  constructor(body: JsonBody, reader: PredictReader, aside: PredictAside) {
    this.#body = body;
    this.#reader = reader;
    this.#aside = aside;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Maybe<Verdict> {
    const signature = askedSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    if (json.length > this.#aside.offload.inlineBytes) return this.#readAside(ctx, json, signature);
    const reader = this.#reader;
    const request = reader.read(json, ctx.match, signature, 'predict');
    return this.#take(ctx, request, reader.form, reader.detail);
  }

  /** Of many strings nothing is asked: those that are no text have base64. */
  refusal(ctx: RequestContext): string {
    return predictionRefusal(ctx.prediction!.outputs, this.#form);
  }

  encode(ctx: RequestContext): Maybe<void> {
    const refusal = this.refusal(ctx);
    if (refusal !== '') {
      ctx.refuse(Fault.NotSupported, refusal);
      this.encodeFault(ctx);
      return;
    }
    if (isLongText(totalBytes(ctx.prediction!.outputs), this.#aside.offload)) return this.#encodeAside(ctx);
    fillReply(ctx, 200, writePrediction(ctx.prediction!, this.#form).pieces());
    return packReply(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }

  async #readAside(ctx: RequestContext, json: Uint8Array, signature: Signature): Promise<Verdict> {
    const read = await readAside(ctx, json, { signature, task: 'predict' }, this.#aside);
    return read === null ? Verdict.Refuse : this.#take(ctx, read.request, read.form, read.detail);
  }

  #take(ctx: RequestContext, request: InferenceRequest | null, form: PredictForm, detail: string): Verdict {
    if (request === null) return ctx.refuse(Fault.Malformed, detail);
    this.#form = form;
    ctx.request = request;
    ctx.answerCheck = this;
    return Verdict.Next;
  }

  async #encodeAside(ctx: RequestContext): Promise<void> {
    const { outputs } = ctx.prediction!;
    const answer = { form: this.#form, outputs: headsOf(outputs) };
    try {
      const { bytes } = await this.#aside.offload.run(WRITE_PREDICT, answer, bytesOf(outputs), ctx);
      fillReply(ctx, 200, bytes);
      await packReply(ctx);
    } catch (error) {
      noteLateFault(ctx, error);
      this.encodeFault(ctx);
    }
  }
}
