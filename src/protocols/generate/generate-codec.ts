import type { RequestContext } from '../../core/context.ts';
import { elementCount } from '../../core/datatype.ts';
import type { AnswerCheck, Codec, PartCodec } from '../../core/exchange.ts';
import { Fault, publicMessage } from '../../core/faults.ts';
import type { Tensor } from '../../core/inference.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import { CLOSE_OBJECT } from '../../wire/json/ascii.ts';
import { ByteWriter, jsonString } from '../../wire/json/byte-writer.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { jsonRefusal, writeTensorData } from '../../wire/json/tensor-writer.ts';
import { ValueWriter } from '../../wire/values/value-writer.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { faultBody, fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { askedSignature } from '../signature-lookup.ts';
import type { GenerateReader } from './generate-reader.ts';

const FRAME_BYTES = 256;
const GROWTH = 3;
const NO_SHAPE: readonly number[] = [];
const ERROR_EVENT = Buffer.from('event: error\ndata: ');
const EVENT_END = Buffer.from('\n\n');
const EVENT_TYPE = 'text/event-stream; charset=utf-8';

/** `POST .../generate`, answered with one JSON object. */
export class GenerateCodec implements Codec, JsonReading, AnswerCheck {
  readonly name: string = 'rest-generate';
  readonly #body: JsonBody;
  readonly #reader: GenerateReader;

  constructor(body: JsonBody, reader: GenerateReader) {
    this.#body = body;
    this.#reader = reader;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Verdict {
    const signature = askedSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    const request = this.#reader.read(json, ctx.match, signature);
    if (request === null) return ctx.refuse(Fault.Malformed, this.#reader.detail);
    ctx.request = request;
    ctx.answerCheck = this;
    return Verdict.Next;
  }

  refusal(ctx: RequestContext): string {
    const { outputs } = ctx.prediction!;
    for (let i = 0; i < outputs.length; i++) {
      const refusal = jsonRefusal(outputs[i]!);
      if (refusal !== '') return `output ${quoted(outputs[i]!.name)}: ${refusal}`;
    }
    return '';
  }

  encode(ctx: RequestContext): Maybe<void> {
    const writer = answerWriter(ctx, this);
    if (writer === null) {
      this.encodeFault(ctx);
      return;
    }
    writeAnswer(writer, ctx);
    fillReply(ctx, 200, writer.pieces());
    return packReply(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    this.#body.encodeFault(ctx);
  }
}

/**
 * `POST .../generate_stream`: the same object as a server-sent event, one for each answer. A refusal before the first of them is plain
 * JSON; after it, an event of the type `error`, behind which nothing comes.
 */
export class GenerateStreamCodec extends GenerateCodec implements PartCodec {
  override readonly name = 'rest-generate-stream';

  override encode(ctx: RequestContext): void {
    this.encodePart(ctx);
    if (ctx.fault !== null) this.encodeFault(ctx);
  }

  encodePart(ctx: RequestContext): void {
    const writer = answerWriter(ctx, this);
    if (writer === null) return;
    writer.text('data: ');
    writeAnswer(writer, ctx);
    writer.text('\n\n');
    fillEvents(ctx, writer.pieces());
  }

  encodeEnd(ctx: RequestContext): void {
    const { fault } = ctx;
    if (fault === null) fillEvents(ctx, []);
    else fillEvents(ctx, [ERROR_EVENT, faultBody(fault, publicMessage(fault, ctx.faultDetail)), EVENT_END]);
  }
}

function fillEvents(ctx: RequestContext, pieces: readonly Uint8Array[]): void {
  fillReply(ctx, 200, pieces);
  ctx.reply.contentType = EVENT_TYPE;
  ctx.reply.headers.push('cache-control', 'no-cache');
}

/** What the answer is to be written into; null when it is right and cannot be said in this protocol. */
function answerWriter(ctx: RequestContext, check: AnswerCheck): ByteWriter | null {
  const refusal = check.refusal(ctx);
  if (refusal === '') return new ByteWriter(expectedBytes(ctx.prediction!.outputs));
  ctx.refuse(Fault.NotSupported, refusal);
  return null;
}

/** One flat object: an output stands beside the names of model and version, and wins where it has such a name itself. */
function writeAnswer(writer: ByteWriter, ctx: RequestContext): void {
  const { model, id } = ctx.request!;
  const { outputs } = ctx.prediction!;
  let lead = '{';
  const own: readonly (readonly [string, string])[] = [
    ['id', id],
    ['model_name', model],
    ['model_version', ctx.answeredBy!.name],
  ];
  for (const [key, value] of own) {
    if (value === '' || outputs.some((output) => output.name === key)) continue;
    writer.text(`${lead}"${key}":${jsonString(value)}`);
    lead = ',';
  }
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    writer.text(`${lead}${jsonString(output.name)}:`);
    lead = ',';
    if (elementCount(output.shape) === 1) new ValueWriter(output, 'never').nested(writer, NO_SHAPE, 0);
    else writeTensorData(writer, output);
  }
  writer.byte(CLOSE_OBJECT);
}

function expectedBytes(outputs: readonly Tensor[]): number {
  let bytes = FRAME_BYTES;
  for (let i = 0; i < outputs.length; i++) bytes += outputs[i]!.data.length * GROWTH;
  return bytes;
}
