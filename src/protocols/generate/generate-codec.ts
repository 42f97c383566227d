import type { RequestContext } from '../../core/context.ts';
import { elementCount } from '../../core/datatype.ts';
import { attached, totalBytes } from '../../core/detached.ts';
import type { AnswerCheck, Codec, PartCodec } from '../../core/exchange.ts';
import { Fault, publicMessage } from '../../core/faults.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { Offload } from '../../core/offload.ts';
import type { Signature } from '../../core/signature.ts';
import { type Maybe, Phase, Verdict } from '../../core/verdict.ts';
import { CLOSE_OBJECT } from '../../wire/json/ascii.ts';
import { ByteWriter, jsonString } from '../../wire/json/byte-writer.ts';
import { quoted } from '../../wire/json/message-text.ts';
import type { JsonBody, JsonReading } from '../json-body.ts';
import { noteLateFault } from '../late-fault.ts';
import { faultBody, fillReply } from '../rest/json-reply.ts';
import { packReply } from '../rest/packing.ts';
import { askedSignature } from '../signature-lookup.ts';
import { isLongText, NO_TEXTS, type TensorTexts, textsOf } from '../tensor-texts.ts';
import { unsayable } from '../unsayable.ts';
import type { GenerateReader } from './generate-reader.ts';
import { READ_GENERATE } from './read-generate.ts';

const FRAME_BYTES = 256;
const GROWTH = 3;
const ERROR_EVENT = Buffer.from('event: error\ndata: ');
const EVENT_END = Buffer.from('\n\n');
const EVENT_TYPE = 'text/event-stream; charset=utf-8';

type Pieces = readonly Uint8Array[];

/** What stands around the JSON of an answer. */
interface Frame {
  readonly lead: string;
  readonly end: string;
}

const BARE: Frame = { lead: '', end: '' };
const EVENT: Frame = { lead: 'data: ', end: '\n\n' };

export interface GenerateParts {
  readonly body: JsonBody;
  readonly reader: GenerateReader;
  /** As the reader has it. */
  readonly maxJsonDepth: number;
  readonly offload: Offload;
}

/** `POST .../generate`, answered with one JSON object. */
export class GenerateCodec implements Codec, JsonReading, AnswerCheck {
  readonly name: string = 'rest-generate';
  readonly #parts: GenerateParts;

  constructor(parts: GenerateParts) {
    this.#parts = parts;
  }

  decode(ctx: RequestContext): Maybe<Verdict> {
    return this.#parts.body.decode(ctx, this);
  }

  read(ctx: RequestContext, json: Uint8Array): Maybe<Verdict> {
    const signature = askedSignature(ctx);
    if (signature === null) return Verdict.Refuse;
    const { reader, offload } = this.#parts;
    if (json.length > offload.inlineBytes) return this.#readAside(ctx, json, signature);
    return this.#take(ctx, reader.read(json, ctx.match, signature), reader.detail);
  }

  refusal(ctx: RequestContext): Maybe<string> {
    return unsayable(ctx.prediction!.outputs, this.#parts.offload, ctx);
  }

  encode(ctx: RequestContext): Maybe<void> {
    const written = this.written(ctx, BARE);
    return written instanceof Promise ? written.then((pieces) => this.#fill(ctx, pieces)) : this.#fill(ctx, written);
  }

  encodeFault(ctx: RequestContext): void {
    this.#parts.body.encodeFault(ctx);
  }

  /** The answer as JSON; null after its refusal, when it is right and cannot be said in this protocol, or no thread could write it. */
  protected written(ctx: RequestContext, frame: Frame): Maybe<Pieces | null> {
    const { offload } = this.#parts;
    const isLong = isLongText(totalBytes(ctx.prediction!.outputs), offload);
    return isLong ? writtenAside(ctx, frame, offload) : writtenWith(ctx, frame, NO_TEXTS);
  }

  #fill(ctx: RequestContext, pieces: Pieces | null): Maybe<void> {
    if (pieces !== null) {
      fillReply(ctx, 200, pieces);
      return packReply(ctx);
    }
    this.encodeFault(ctx);
  }

  async #readAside(ctx: RequestContext, json: Uint8Array, signature: Signature): Promise<Verdict> {
    const { maxJsonDepth, offload } = this.#parts;
    const { model, version } = ctx.match;
    const { value, bytes } = await offload.run(READ_GENERATE, { maxJsonDepth, model, version, signature }, [json], ctx);
    // The client may have left meanwhile.
    if (ctx.phase > Phase.Decode) return Verdict.Refuse;
    // The inputs came back in bytes of their own.
    ctx.body = [];
    return this.#take(ctx, value.request === null ? null : attached(value.request, bytes), value.detail);
  }

  #take(ctx: RequestContext, request: InferenceRequest | null, detail: string): Verdict {
    if (request === null) return ctx.refuse(Fault.Malformed, detail);
    ctx.request = request;
    ctx.answerCheck = this;
    return Verdict.Next;
  }
}

/**
 * `POST .../generate_stream`: the same object as a server-sent event, one for each answer. A refusal before the first of them is plain
 * JSON; after it, an event of the type `error`, behind which nothing comes.
 */
export class GenerateStreamCodec extends GenerateCodec implements PartCodec {
  override readonly name = 'rest-generate-stream';

  override encode(ctx: RequestContext): Maybe<void> {
    const encoded = this.encodePart(ctx);
    if (encoded instanceof Promise) return encoded.then(() => this.#orFault(ctx));
    this.#orFault(ctx);
  }

  encodePart(ctx: RequestContext): Maybe<void> {
    const written = this.written(ctx, EVENT);
    if (written instanceof Promise) return written.then((pieces) => fillEvent(ctx, pieces));
    fillEvent(ctx, written);
  }

  encodeEnd(ctx: RequestContext): void {
    const { fault } = ctx;
    if (fault === null) fillEvents(ctx, []);
    else fillEvents(ctx, [ERROR_EVENT, faultBody(fault, publicMessage(fault, ctx.faultDetail)), EVENT_END]);
  }

  #orFault(ctx: RequestContext): void {
    if (ctx.fault !== null) this.encodeFault(ctx);
  }
}

function fillEvent(ctx: RequestContext, pieces: Pieces | null): void {
  if (pieces !== null) fillEvents(ctx, pieces);
}

function fillEvents(ctx: RequestContext, pieces: Pieces): void {
  fillReply(ctx, 200, pieces);
  ctx.reply.contentType = EVENT_TYPE;
  ctx.reply.headers.push('cache-control', 'no-cache');
}

async function writtenAside(ctx: RequestContext, frame: Frame, offload: Offload): Promise<Pieces | null> {
  try {
    return writtenWith(ctx, frame, await textsOf(ctx.prediction!.outputs, offload, ctx));
  } catch (error) {
    noteLateFault(ctx, error);
    return null;
  }
}

function writtenWith(ctx: RequestContext, frame: Frame, texts: TensorTexts): Pieces | null {
  const { outputs } = ctx.prediction!;
  for (let i = 0; i < outputs.length; i++) {
    const refusal = texts.refusal(outputs[i]!);
    if (refusal === '') continue;
    ctx.refuse(Fault.NotSupported, `output ${quoted(outputs[i]!.name)}: ${refusal}`);
    return null;
  }
  const writer = new ByteWriter(texts === NO_TEXTS ? expectedBytes(outputs) : FRAME_BYTES);
  writer.text(frame.lead);
  writeAnswer(writer, ctx, texts);
  writer.text(frame.end);
  return writer.pieces();
}

/** One flat object: an output stands beside the names of model and version, and wins where it has such a name itself. */
function writeAnswer(writer: ByteWriter, ctx: RequestContext, texts: TensorTexts): void {
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
    if (elementCount(output.shape) === 1) texts.writeOnly(writer, output);
    else texts.write(writer, output);
  }
  writer.byte(CLOSE_OBJECT);
}

function expectedBytes(outputs: readonly Tensor[]): number {
  let bytes = FRAME_BYTES;
  for (let i = 0; i < outputs.length; i++) bytes += outputs[i]!.data.length * GROWTH;
  return bytes;
}
