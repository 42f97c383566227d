import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT } from '../json/ascii.ts';
import { ByteWriter, jsonString } from '../json/byte-writer.ts';
import { ValueWriter } from '../values/value-writer.ts';

const FRAME_BYTES = 128;
const TENSOR_BYTES = 64;
/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;

/** One input while it is written. */
interface Column {
  readonly label: string;
  readonly shape: readonly number[];
  readonly values: ValueWriter;
}

/**
 * The body of `:explain`: row by row under `instances`, since KServe's explainers read no other key, and by column under `inputs` where
 * the inputs have no rows in common. No `signature_name`: that is TensorFlow Serving's, which explains nothing.
 */
export function writeExplainRequest({ inputs }: InferenceRequest): readonly Uint8Array[] {
  let size = FRAME_BYTES;
  for (let i = 0; i < inputs.length; i++) size += TENSOR_BYTES + inputs[i]!.data.length * GROWTH;
  const writer = new ByteWriter(size);
  const columns = inputs.map(columnOf);
  if (!haveRows(inputs)) {
    writer.text('{"inputs":');
    writeColumns(writer, columns, 0);
  } else {
    writer.text('{"instances":');
    if (columns.length === 1) columns[0]!.values.nested(writer, columns[0]!.shape, 0);
    else writeRows(writer, columns, inputs[0]!.shape[0]!);
  }
  writer.byte(CLOSE_OBJECT);
  return writer.pieces();
}

const columnOf = (input: Tensor): Column => ({
  label: `${jsonString(input.name)}:`,
  shape: input.shape,
  values: new ValueWriter(input, 'needed'),
});

function haveRows(inputs: readonly Tensor[]): boolean {
  const rows = inputs[0]?.shape[0];
  return rows !== undefined && inputs.every((input) => input.shape[0] === rows);
}

function writeRows(writer: ByteWriter, columns: readonly Column[], rows: number): void {
  writer.byte(OPEN_ARRAY);
  for (let row = 0; row < rows; row++) {
    if (row > 0) writer.byte(COMMA);
    writeColumns(writer, columns, 1);
  }
  writer.byte(CLOSE_ARRAY);
}

/** The next values of each column, as many as its dimensions from `dimension` on hold. */
function writeColumns(writer: ByteWriter, columns: readonly Column[], dimension: number): void {
  writer.byte(OPEN_OBJECT);
  for (let i = 0; i < columns.length; i++) {
    if (i > 0) writer.byte(COMMA);
    writer.text(columns[i]!.label);
    columns[i]!.values.nested(writer, columns[i]!.shape, dimension);
  }
  writer.byte(CLOSE_OBJECT);
}
