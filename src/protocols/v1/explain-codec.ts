import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { explanationJson } from '../../core/explanation.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Signature } from '../../core/signature.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { knownSignature } from '../signature-lookup.ts';
import { type PredictAside, readAside } from './predict-aside.ts';
import type { PredictReader } from './predict-reader.ts';

/** `POST ...:explain`: asked like `:predict`, answered with the JSON of the server behind, as it came or as output guards left it. */
export class ExplainCodec implements Codec, JsonReading {
  readonly name = 'v1-explain';
  readonly #body: JsonBody;
  readonly #reader: PredictReader;
  readonly #aside: PredictAside;

  constructor(body: JsonBody, reader: PredictReader, aside: PredictAside) {
    this.#body = body;
    this.#reader = reader;
    this.#aside = aside;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Maybe<Verdict> {
    const signature = knownSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    if (json.length > this.#aside.offload.inlineBytes) return this.#readAside(ctx, json, signature);
    return take(ctx, this.#reader.read(json, ctx.match, signature, 'explain'), this.#reader.detail);
  }

  encode(ctx: RequestContext): Maybe<void> {
    fillReply(ctx, 200, [explanationJson(ctx.prediction!.outputs[0]!)]);
    return packReply(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }

  async #readAside(ctx: RequestContext, json: Uint8Array, signature: Signature): Promise<Verdict> {
    const read = await readAside(ctx, json, { signature, task: 'explain' }, this.#aside);
    return read === null ? Verdict.Refuse : take(ctx, read.request, read.detail);
  }
}

function take(ctx: RequestContext, request: InferenceRequest | null, detail: string): Verdict {
  if (request === null) return ctx.refuse(Fault.Malformed, detail);
  ctx.request = request;
  return Verdict.Next;
}
