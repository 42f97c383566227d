import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { explanationJson } from '../../core/explanation.ts';
import { Fault } from '../../core/faults.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { knownSignature } from '../signature-lookup.ts';
import type { PredictReader } from './predict-reader.ts';

/** `POST ...:explain`: asked like `:predict`, answered with the JSON of the server behind, as it came or as output guards left it. */
export class ExplainCodec implements Codec, JsonReading {
  readonly name = 'v1-explain';
  readonly #body: JsonBody;
  readonly #reader: PredictReader;

  constructor(body: JsonBody, reader: PredictReader) {
    this.#body = body;
    this.#reader = reader;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Verdict {
    const signature = knownSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    const request = this.#reader.read(json, ctx.match, signature, 'explain');
    if (request === null) return ctx.refuse(Fault.Malformed, this.#reader.detail);
    ctx.request = request;
    return Verdict.Next;
  }

  encode(ctx: RequestContext): Maybe<void> {
    fillReply(ctx, 200, [explanationJson(ctx.prediction!.outputs[0]!)]);
    return packReply(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }
}
