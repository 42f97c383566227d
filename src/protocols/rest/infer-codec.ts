import { type AnswerForm, BINARY_ANSWER, isBinary } from '../../core/answer-form.ts';
import type { RequestContext } from '../../core/context.ts';
import { attached } from '../../core/detached.ts';
import type { AnswerCheck, Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { Offload } from '../../core/offload.ts';
import { joinInTurns } from '../../core/turns.ts';
import { type Maybe, Phase, Verdict } from '../../core/verdict.ts';
import { visibleRoute } from '../../core/visibility.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { noteLateFault } from '../late-fault.ts';
import { isLongText, NO_TEXTS, type TensorTexts, textsOf } from '../tensor-texts.ts';
import { unsayable } from '../unsayable.ts';
import { ALL_JSON, type BodyRules, jsonBytesOf } from './body-rules.ts';
import { InferReader } from './infer-reader.ts';
import { fillInferReply, textBytes, textOutputs } from './infer-reply.ts';
import { type InflateLimits, Inflation, type UnpackedBound } from './inflation.ts';
import { fillFault } from './json-reply.ts';
import { codingOf } from './media.ts';
import { packReply } from './packing.ts';
import { rawTensor } from './raw-request.ts';
import { READ_INFER } from './read-infer.ts';
import { wholeBody } from './whole-body.ts';

/** Milliseconds a caller is told to wait for a model that is still warming. */
const WARMING_WAIT_MS = 1_000;
const NO_PARAMS = new Map<string, string>();
const ALL: readonly string[] = Object.freeze([]);

export interface InferOptions extends InflateLimits {
  readonly maxJsonDepth: number;
  readonly maxTensors: number;
  readonly rules: BodyRules;
  readonly offload: Offload;
}

/** `POST .../infer` with tensors in JSON, as raw bytes behind a JSON head, or as raw bytes alone; packed or not. */
export class InferCodec implements Codec, AnswerCheck {
  readonly name = 'rest-infer';
  readonly #options: InferOptions;
  readonly #reader: InferReader;
  readonly #bodyBound: UnpackedBound;

  constructor(options: InferOptions) {
    const { maxBodyBytes } = options;
    this.#options = options;
    this.#bodyBound = { bytes: maxBodyBytes, hint: `It unpacks to more than ${maxBodyBytes} bytes.` };
    this.#reader = new InferReader(options.maxJsonDepth, options.maxTensors);
  }

  /** @hot */
  decode(ctx: RequestContext): Maybe<Verdict> {
    const coding = codingOf(ctx.head.header('content-encoding'));
    if (coding === 'gzip' || coding === 'deflate') return this.#unpack(ctx, coding);
    const body = wholeBody(ctx.body);
    return body instanceof Promise ? body.then((whole) => this.#read(ctx, whole)) : this.#read(ctx, body);
  }

  /** @hot */
  refusal(ctx: RequestContext): Maybe<string> {
    return unsayable(textOutputs(ctx.prediction!, ctx.answerForm), this.#options.offload, ctx);
  }

  /** @hot */
  encode(ctx: RequestContext): Maybe<void> {
    const { offload } = this.#options;
    const isLong = isLongText(textBytes(ctx.prediction!, ctx.answerForm), offload);
    return isLong ? this.#encodeAside(ctx) : this.#fill(ctx, NO_TEXTS);
  }

  encodeFault(ctx: RequestContext): void {
    // A fault of the head has no detail; a stranger hears of another fault and nothing of his body.
    const ofHead = ctx.fault !== null && ctx.fault === ctx.match.fault;
    fillFault(ctx, ofHead ? (this.#options.rules.flaw(ctx.head)?.hint ?? '') : '');
  }

  async #encodeAside(ctx: RequestContext): Promise<void> {
    try {
      const outputs = textOutputs(ctx.prediction!, ctx.answerForm);
      await this.#fill(ctx, await textsOf(outputs, this.#options.offload, ctx));
    } catch (error) {
      noteLateFault(ctx, error);
      this.encodeFault(ctx);
    }
  }

  #fill(ctx: RequestContext, texts: TensorTexts): Maybe<void> {
    const refusal = fillInferReply(ctx, texts);
    if (refusal === '') return packReply(ctx);
    ctx.refuse(Fault.NotSupported, refusal);
    this.encodeFault(ctx);
  }

  async #unpack(ctx: RequestContext, coding: 'gzip' | 'deflate'): Promise<Verdict> {
    const bound = jsonBytesOf(ctx.head) === ALL_JSON ? this.#options.rules.jsonBound : this.#bodyBound;
    const pieces = await new Inflation(ctx, coding, this.#options, bound).run();
    if (pieces === null) return Verdict.Refuse;
    return this.#read(ctx, await wholeBody(pieces));
  }

  #read(ctx: RequestContext, body: Uint8Array): Maybe<Verdict> {
    // The client may have left while bytes were unpacked or copied.
    if (ctx.phase > Phase.Decode) return Verdict.Refuse;
    // The pieces have been copied; kept as well, they would hold the memory twice.
    ctx.body = [body];
    const { rules } = this.#options;
    const stated = jsonBytesOf(ctx.head);
    if (stated === 0) return readRaw(ctx, body);
    const jsonBytes = stated === ALL_JSON ? body.length : stated;
    if (jsonBytes > body.length) return ctx.refuse(Fault.Malformed, shortBody(jsonBytes, body.length));
    if (jsonBytes > rules.maxJsonBytes) return ctx.refuse(rules.tooLong.kind, rules.tooLong.hint);
    if (jsonBytes > this.#options.offload.inlineBytes) return this.#readAside(ctx, body, jsonBytes);
    const json = stated === ALL_JSON ? body : body.subarray(0, jsonBytes);
    const tail = stated === ALL_JSON ? null : body.subarray(jsonBytes);
    const request = this.#reader.read(json, tail, ctx.match.model, ctx.match.version);
    return this.#take(ctx, request, this.#reader.form, this.#reader.detail);
  }

  async #readAside(ctx: RequestContext, body: Uint8Array, jsonBytes: number): Promise<Verdict> {
    const { maxJsonDepth, maxTensors, offload } = this.#options;
    const { model, version } = ctx.match;
    const hasTail = jsonBytesOf(ctx.head) !== ALL_JSON;
    const asked = { maxJsonDepth, maxTensors, model, version, jsonBytes, hasTail };
    const { value, bytes } = await offload.run(READ_INFER, asked, [body], ctx);
    // The client may have left meanwhile.
    if (ctx.phase > Phase.Decode) return Verdict.Refuse;
    // The inputs came back in bytes of their own.
    ctx.body = [];
    return this.#take(ctx, value.request === null ? null : attached(value.request, bytes), value.form, value.detail);
  }

  #take(ctx: RequestContext, request: InferenceRequest | null, form: AnswerForm, detail: string): Verdict {
    if (request === null) return ctx.refuse(Fault.Malformed, detail);
    ctx.request = request;
    ctx.answerForm = form;
    ctx.answerCheck = this;
    return refuseUnsayable(ctx);
  }
}

/** The whole body is the one input of the model, so only the model's contract tells what it is. */
function readRaw(ctx: RequestContext, body: Uint8Array): Maybe<Verdict> {
  const route = visibleRoute(ctx.snapshot, ctx.principal!, ctx.match.model);
  if (route === null) return ctx.refuse(Fault.NotFound);
  if (route.contract === null) {
    ctx.retryAfterMs = WARMING_WAIT_MS;
    return ctx.refuse(Fault.NoVariant, 'It is still warming.');
  }
  const tensor = rawTensor(route.contract, body);
  if (typeof tensor === 'string') return ctx.refuse(Fault.BadRequest, tensor);
  if (tensor.datatype !== 'BYTES') return takeRaw(ctx, tensor);
  const data = joinInTurns([lengthOf(body), body]);
  if (!(data instanceof Promise)) return takeRaw(ctx, { ...tensor, data });
  return data.then((copy) => (ctx.phase > Phase.Decode ? Verdict.Refuse : takeRaw(ctx, { ...tensor, data: copy })));
}

/** As it stands before each element of a BYTES tensor. */
function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(bytes.length, 0);
  return length;
}

function takeRaw(ctx: RequestContext, tensor: Tensor): Verdict {
  const { model, version } = ctx.match;
  ctx.request = {
    task: 'predict',
    model,
    version,
    id: '',
    params: NO_PARAMS,
    inputs: [tensor],
    wanted: ALL,
    timeoutUs: 0,
    sequenceId: '',
  };
  ctx.answerForm = BINARY_ANSWER;
  return Verdict.Next;
}

/** Refuses an answer that JSON could not say before anybody has worked on it or been charged for it. */
function refuseUnsayable(ctx: RequestContext): Verdict {
  const { model, wanted } = ctx.request!;
  const contract = visibleRoute(ctx.snapshot, ctx.principal!, model)?.contract ?? null;
  if (contract === null) return Verdict.Next;
  const { outputs } = contract.signature;
  for (let i = 0; i < outputs.length; i++) {
    const { name, datatype } = outputs[i]!;
    if (datatype !== 'FP16' && datatype !== 'BF16') continue;
    if (isBinary(ctx.answerForm, name) || (wanted.length > 0 && !wanted.includes(name))) continue;
    return ctx.refuse(Fault.NotSupported, noJsonForm(name, datatype));
  }
  return Verdict.Next;
}

function noJsonForm(output: string, datatype: string): string {
  return `output ${quoted(output)}: ${datatype} data has no JSON form: ask for it as binary data (parameters.binary_data) or over gRPC`;
}

function shortBody(jsonBytes: number, bodyBytes: number): string {
  return `Inference-Header-Content-Length is ${jsonBytes}, but the body has only ${bodyBytes} bytes.`;
}
