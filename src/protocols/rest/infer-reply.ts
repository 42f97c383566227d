import { type AnswerForm, isBinary, JSON_ANSWER } from '../../core/answer-form.ts';
import type { RequestContext } from '../../core/context.ts';
import type { Prediction, Tensor } from '../../core/inference.ts';
import { ByteWriter, jsonString } from '../../wire/json/byte-writer.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { NO_TEXTS, type TensorTexts } from '../tensor-texts.ts';
import { fillReply } from './json-reply.ts';
import { binaryType } from './media.ts';

const FRAME_BYTES = 512;
const OUTPUT_BYTES = 160;
/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;

/**
 * Writes the prediction: JSON, and behind it the bytes of the outputs that the caller wants raw, as they are. Returns why it cannot, or an
 * empty string. `texts` holds what a thread has written already. @hot
 */
export function fillInferReply(ctx: RequestContext, texts: TensorTexts = NO_TEXTS): string {
  const { outputs } = ctx.prediction!;
  const request = ctx.request!;
  const writer = new ByteWriter(expectedBytes(ctx.prediction!, ctx.answerForm));
  const tail: Uint8Array[] = [];
  let hasBinary = false;
  writer.text(`{"model_name":${jsonString(request.model)},"model_version":${jsonString(ctx.answeredBy!.name)}`);
  if (request.id !== '') writer.text(`,"id":${jsonString(request.id)}`);
  writer.text(',"outputs":[');
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    writer.text(i === 0 ? outputHead(output) : `,${outputHead(output)}`);
    if (isBinary(ctx.answerForm, output.name)) {
      writer.text(`"parameters":{"binary_data_size":${output.data.length}}}`);
      hasBinary = true;
      if (output.data.length > 0) tail.push(output.data);
      continue;
    }
    writer.text('"data":');
    const refusal = texts.write(writer, output);
    if (refusal !== '') return `output ${quoted(output.name)}: ${refusal}`;
    writer.text('}');
  }
  writer.text(']}');
  const json = writer.pieces();
  fillReply(ctx, 200, json);
  if (hasBinary) addTail(ctx, json, tail);
  return '';
}

function addTail(ctx: RequestContext, json: readonly Uint8Array[], tail: readonly Uint8Array[]): void {
  let jsonBytes = 0;
  for (let i = 0; i < json.length; i++) jsonBytes += json[i]!.length;
  const reply = ctx.reply;
  reply.contentType = binaryType(ctx.head.header('content-type'), jsonBytes);
  reply.headers.push('inference-header-content-length', String(jsonBytes));
  reply.pieces = json.concat(tail);
}

function outputHead(output: Tensor): string {
  return `{"name":${jsonString(output.name)},"shape":[${output.shape.join(',')}],"datatype":"${output.datatype}",`;
}

/** The outputs that are written as text. @hot */
export function textOutputs(prediction: Prediction, form: AnswerForm): readonly Tensor[] {
  if (form === JSON_ANSWER) return prediction.outputs;
  return prediction.outputs.filter((output) => !isBinary(form, output.name));
}

/** Bytes of the outputs that are written as text. @hot */
export function textBytes(prediction: Prediction, form: AnswerForm): number {
  let bytes = 0;
  for (let i = 0; i < prediction.outputs.length; i++) {
    const output = prediction.outputs[i]!;
    if (!isBinary(form, output.name)) bytes += output.data.length;
  }
  return bytes;
}

function expectedBytes(prediction: Prediction, form: AnswerForm): number {
  let bytes = FRAME_BYTES;
  for (let i = 0; i < prediction.outputs.length; i++) {
    const output = prediction.outputs[i]!;
    bytes += OUTPUT_BYTES + (isBinary(form, output.name) ? 0 : output.data.length * GROWTH);
  }
  return bytes;
}
