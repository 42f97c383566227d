import type { InferenceRequest } from '../../core/inference.ts';
import { ByteWriter, jsonString } from '../json/byte-writer.ts';
import { ValueWriter } from '../values/value-writer.ts';

const FRAME_BYTES = 128;
const TENSOR_BYTES = 64;
/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;

/** The body of `:predict` in columns: each input under its name, nested as its shape says. Strings that are not UTF-8 go as base64. */
export function writePredictRequest(request: InferenceRequest, signatureName: string): readonly Uint8Array[] {
  const { inputs } = request;
  let size = FRAME_BYTES;
  for (let i = 0; i < inputs.length; i++) size += TENSOR_BYTES + inputs[i]!.data.length * GROWTH;
  const writer = new ByteWriter(size);
  writer.text(`{"signature_name":${jsonString(signatureName)},"inputs":{`);
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    writer.text(`${i === 0 ? '' : ','}${jsonString(input.name)}:`);
    new ValueWriter(input, 'needed').nested(writer, input.shape, 0);
  }
  writer.text('}}');
  return writer.pieces();
}
