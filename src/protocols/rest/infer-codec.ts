import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { Prediction, Tensor } from '../../core/inference.ts';
import { Verdict } from '../../core/verdict.ts';
import { ByteWriter, jsonString } from '../../wire/json/byte-writer.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { writeTensorData } from '../../wire/json/tensor-writer.ts';
import { InferReader } from './infer-reader.ts';
import { fillFault, fillReply } from './json-reply.ts';

const FRAME_BYTES = 512;
const OUTPUT_BYTES = 128;
/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;
const MEDIA_HINT = 'Send application/json without a Content-Encoding.';

/** `POST .../infer` with tensors in JSON. */
export class InferCodec implements Codec {
  readonly name = 'rest-infer';
  readonly #reader: InferReader;

  constructor(maxJsonDepth: number, maxTensors: number) {
    this.#reader = new InferReader(maxJsonDepth, maxTensors);
  }

  /** @hot */
  decode(ctx: RequestContext): Verdict {
    const reader = this.#reader;
    const { model, version } = ctx.match;
    const body = ctx.body.length === 1 ? ctx.body[0]! : Buffer.concat(ctx.body);
    const request = reader.read(body, model, version);
    if (request === null) return ctx.refuse(reader.kind, reader.detail);
    ctx.request = request;
    return Verdict.Next;
  }

  /** @hot */
  encode(ctx: RequestContext): void {
    const prediction = ctx.prediction!;
    const request = ctx.request!;
    const writer = new ByteWriter(expectedBytes(prediction));
    writer.text(`{"model_name":${jsonString(request.model)},"model_version":${jsonString(ctx.answeredBy!.name)}`);
    if (request.id !== '') writer.text(`,"id":${jsonString(request.id)}`);
    writer.text(',"outputs":[');
    for (let i = 0; i < prediction.outputs.length; i++) {
      const output = prediction.outputs[i]!;
      writer.text(i === 0 ? outputHead(output) : `,${outputHead(output)}`);
      const refusal = writeTensorData(writer, output);
      if (refusal !== '') {
        this.#refuse(ctx, output, refusal);
        return;
      }
      writer.text('}');
    }
    writer.text(']}');
    fillReply(ctx, 200, writer.pieces());
  }

  encodeFault(ctx: RequestContext): void {
    fillFault(ctx, ctx.fault === Fault.MediaType ? MEDIA_HINT : '');
  }

  /** The answer is right and cannot be said in JSON. */
  #refuse(ctx: RequestContext, output: Tensor, refusal: string): void {
    ctx.refuse(Fault.NotSupported, `output ${quoted(output.name)}: ${refusal}`);
    this.encodeFault(ctx);
  }
}

function outputHead(output: Tensor): string {
  return `{"name":${jsonString(output.name)},"shape":[${output.shape.join(',')}],"datatype":"${output.datatype}","data":`;
}

function expectedBytes(prediction: Prediction): number {
  let bytes = FRAME_BYTES;
  for (let i = 0; i < prediction.outputs.length; i++) bytes += OUTPUT_BYTES + prediction.outputs[i]!.data.length * GROWTH;
  return bytes;
}
