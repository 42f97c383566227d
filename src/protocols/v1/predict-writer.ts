import type { Prediction, Tensor } from '../../core/inference.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT } from '../../wire/json/ascii.ts';
import { ByteWriter, jsonString } from '../../wire/json/byte-writer.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { jsonRefusal } from '../../wire/json/tensor-writer.ts';
import { ValueWriter } from '../../wire/values/value-writer.ts';
import type { PredictForm } from './predict-reader.ts';

const FRAME_BYTES = 64;
/** JSON bytes for each byte of tensor: eleven characters, a comma and a bracket for an FP32 of four. */
const GROWTH = 3;
/** Outputs with such a name hold bytes by convention, and are written as base64 whatever they hold. */
const BYTES_SUFFIX = '_bytes';

/** One output while it is written. */
interface Part {
  /** Empty where there is but one output, which goes without its name. */
  readonly label: string;
  readonly shape: readonly number[];
  readonly values: ValueWriter;
}

/** The answer to `:predict` in the form of its request, which `predictionRefusal` has nothing against. */
export function writePrediction({ outputs }: Prediction, form: PredictForm): ByteWriter {
  let bytes = FRAME_BYTES;
  for (let i = 0; i < outputs.length; i++) bytes += outputs[i]!.data.length * GROWTH;
  const writer = new ByteWriter(bytes);
  const parts = outputs.map((output) => partOf(output, outputs.length === 1));
  if (form === 'inputs') {
    writer.text('{"outputs":');
    writeParts(writer, parts, 0);
  } else {
    writer.text('{"predictions":');
    writeRows(writer, parts, outputs[0]!.shape[0]!);
  }
  writer.byte(CLOSE_OBJECT);
  return writer;
}

/** Why outputs cannot be said in the form of their request; empty when they can. */
export function predictionRefusal(outputs: readonly Tensor[], form: PredictForm): string {
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs[i]!;
    const rows = output.shape[0];
    if (form === 'instances' && (rows === undefined || rows !== outputs[0]!.shape[0])) {
      return `output ${quoted(output.name)} is not one row for each instance: ask with "inputs" in place of "instances"`;
    }
    // BYTES that are no text have base64.
    const refusal = output.datatype === 'BYTES' ? '' : jsonRefusal(output);
    if (refusal !== '') return `output ${quoted(output.name)}: ${refusal}`;
  }
  return '';
}

function partOf(output: Tensor, only: boolean): Part {
  return {
    label: only ? '' : `${jsonString(output.name)}:`,
    shape: output.shape,
    values: new ValueWriter(output, output.name.endsWith(BYTES_SUFFIX) ? 'always' : 'needed'),
  };
}

function writeRows(writer: ByteWriter, parts: readonly Part[], rows: number): void {
  writer.byte(OPEN_ARRAY);
  for (let row = 0; row < rows; row++) {
    if (row > 0) writer.byte(COMMA);
    writeParts(writer, parts, 1);
  }
  writer.byte(CLOSE_ARRAY);
}

/** The values of all outputs from `dimension` on: bare for one, by name for several. */
function writeParts(writer: ByteWriter, parts: readonly Part[], dimension: number): void {
  if (parts.length === 1) {
    parts[0]!.values.nested(writer, parts[0]!.shape, dimension);
    return;
  }
  writer.byte(OPEN_OBJECT);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i > 0) writer.byte(COMMA);
    writer.text(part.label);
    part.values.nested(writer, part.shape, dimension);
  }
  writer.byte(CLOSE_OBJECT);
}
