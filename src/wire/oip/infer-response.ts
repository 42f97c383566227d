import type { Tensor } from '../../core/inference.ts';
import { appended } from '../../core/lists.ts';
import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, rawContentsHead, writeRawContents, writeTensorHeads, writeText } from './message-writer.ts';
import { type ParameterMap, readParameter } from './parameter-map.ts';
import type { TensorFrame } from './tensor-frame.ts';
import { fillTensors, readTensor } from './tensor-reader.ts';

/** Outputs of one answer; models have a few, and the size of the message bounds the rest. */
const MAX_OUTPUTS = 1_024;

export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly Tensor[];
}

/** ModelInferResponse, always with raw contents. @hot */
export function encodeInferResponse(answer: InferAnswer): Buffer {
  const writer = newWriter();
  writeText(writer, 1, answer.model);
  writeText(writer, 2, answer.version);
  writeText(writer, 3, answer.id);
  writeTensorHeads(writer, 5, answer.outputs);
  writeRawContents(writer, 6, answer.outputs);
  return finish(writer);
}

/** The same bytes in pieces, for answers so long that nobody wants to copy them at once. */
export function inferResponsePieces(answer: InferAnswer): Uint8Array[] {
  const pieces: Uint8Array[] = [encodeInferResponse({ ...answer, outputs: [] }), encodedHeads(answer.outputs)];
  for (const { data } of answer.outputs) pieces.push(rawContentsHead(6, data.length), data);
  return pieces;
}

function encodedHeads(outputs: readonly Tensor[]): Buffer {
  const writer = newWriter();
  writeTensorHeads(writer, 5, outputs);
  return finish(writer);
}

/** ModelInferResponse from a backend's bytes, or why it is refused. Its parameters are checked and dropped. @hot */
export function decodeInferResponse(
  bytes: Uint8Array,
): { model: string; version: string; id: string; outputs: Tensor[] } | string {
  const reader = new FieldReader(bytes, 'ModelInferResponse');
  let model = '';
  let version = '';
  let id = '';
  let frames: TensorFrame[] = NO_FRAMES;
  let raws: Uint8Array[] = NO_BYTES;
  let parameters: ParameterMap | null = null;
  let seen = 0;
  while (reader.next()) {
    const field = reader.field;
    if (field <= 3) {
      seen = reader.once(seen);
      const text = reader.text(MAX_TEXT_BYTES);
      if (field === 1) model = text;
      else if (field === 2) version = text;
      else id = text;
    } else if (field === 4) {
      parameters ??= new Map();
      readParameter(reader, parameters);
    } else if (field === 5) {
      if (hasRoom(reader, frames.length)) frames = appended(frames, readOutput(reader));
    } else if (field === 6) {
      if (hasRoom(reader, raws.length)) raws = appended(raws, reader.view());
    } else reader.skip();
  }
  const outputs = fillTensors(reader, frames, raws);
  if (reader.problem !== '') return reader.problem;
  return { model, version, id, outputs };
}

const NO_FRAMES: TensorFrame[] = [];
const NO_BYTES: Uint8Array[] = [];

/** MLServer sets the typed contents of every output, empty where the bytes come raw: that is the same as none. */
function readOutput(reader: FieldReader): TensorFrame {
  const frame = readTensor(reader, 'InferOutputTensor');
  if (frame.contents !== null && frame.contents.length === 0) frame.contents = null;
  return frame;
}

function hasRoom(reader: FieldReader, count: number): boolean {
  return (
    count < MAX_OUTPUTS || reader.fail(`field ${reader.field} comes more than ${MAX_OUTPUTS} times, the limit of this gateway`)
  );
}
