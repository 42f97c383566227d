import type { InferenceRequest, Params, Tensor } from '../../core/inference.ts';
import { ByteWriter, jsonString } from '../json/byte-writer.ts';
import { quoted } from '../json/message-text.ts';
import { writeTensorData } from '../json/tensor-writer.ts';

/** The body of `POST …/infer`, in pieces. */
export interface InferBody {
  readonly pieces: readonly Uint8Array[];
  /** Bytes of JSON in front of the tensors, for Inference-Header-Content-Length; -1 when all of it is JSON. */
  readonly jsonBytes: number;
}

const FRAME_BYTES = 256;
const TENSOR_BYTES = 128;
/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;

/** @hot A head written here and behind it the bytes of each tensor as they are. All outputs are asked for as bytes. */
export function writeBinaryRequest(request: InferenceRequest): InferBody {
  const { inputs } = request;
  const writer = new ByteWriter(FRAME_BYTES + inputs.length * TENSOR_BYTES);
  writer.text('{');
  writeId(writer, request.id);
  writer.text('"parameters":{"binary_data_output":true');
  writeParameters(writer, request.params, true);
  writer.text('},"inputs":[');
  for (let i = 0; i < inputs.length; i++) {
    writeHead(writer, inputs[i]!, i);
    writer.text(',"parameters":{"binary_data_size":');
    writer.integer(inputs[i]!.data.length);
    writer.text('}}');
  }
  writeWanted(writer, request.wanted, ',"parameters":{"binary_data":true}}');
  const json = writer.pieces();
  let jsonBytes = 0;
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < json.length; i++) {
    jsonBytes += json[i]!.length;
    pieces.push(json[i]!);
  }
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.data.length > 0) pieces.push(inputs[i]!.data);
  return { pieces, jsonBytes };
}

/** @hot Everything as JSON, or why that cannot be. Outputs are left to the server, which answers JSON with JSON. */
export function writeJsonRequest(request: InferenceRequest): InferBody | string {
  const { inputs } = request;
  let size = FRAME_BYTES;
  for (let i = 0; i < inputs.length; i++) size += TENSOR_BYTES + inputs[i]!.data.length * GROWTH;
  const writer = new ByteWriter(size);
  writer.text('{');
  writeId(writer, request.id);
  if (request.params.size > 0) {
    writer.text('"parameters":{');
    writeParameters(writer, request.params, false);
    writer.text('},');
  }
  writer.text('"inputs":[');
  for (let i = 0; i < inputs.length; i++) {
    writeHead(writer, inputs[i]!, i);
    writer.text(',"data":');
    if (writeTensorData(writer, inputs[i]!) !== '') return unsayable(inputs[i]!);
    writer.text('}');
  }
  writeWanted(writer, request.wanted, '}');
  return { pieces: writer.pieces(), jsonBytes: -1 };
}

/** Why a tensor that is fine has no form in JSON. */
export function unsayable(tensor: Tensor): string {
  const what = tensor.datatype === 'BYTES' ? 'BYTES that are not UTF-8 have' : `${tensor.datatype} has`;
  return `input ${quoted(tensor.name)}: ${what} no form in the JSON that this variant's backend takes`;
}

function writeId(writer: ByteWriter, id: string): void {
  if (id !== '') writer.text(`"id":${jsonString(id)},`);
}

function writeHead(writer: ByteWriter, tensor: Tensor, index: number): void {
  const name = jsonString(tensor.name);
  writer.text(`${index === 0 ? '' : ','}{"name":${name},"shape":[${tensor.shape.join(',')}],"datatype":"${tensor.datatype}"`);
}

/** Closes the inputs, names the outputs if any are named, and closes the body. */
function writeWanted(writer: ByteWriter, wanted: readonly string[], tail: string): void {
  if (wanted.length === 0) {
    writer.text(']}');
    return;
  }
  writer.text('],"outputs":[');
  for (let i = 0; i < wanted.length; i++) {
    writer.text(`${i === 0 ? '' : ','}{"name":${jsonString(wanted[i]!)}${tail}`);
  }
  writer.text(']}');
}

/** Already checked against the allow-list where the caller's were read. */
function writeParameters(writer: ByteWriter, params: Params, behindOther: boolean): void {
  let comma = behindOther;
  params.forEach((value, name) => {
    const text = typeof value === 'string' ? jsonString(value) : String(value);
    writer.text(`${comma ? ',' : ''}${jsonString(name)}:${text}`);
    comma = true;
  });
}
