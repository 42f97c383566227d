import type { InferenceRequest } from '../../core/inference.ts';
import { appended } from '../../core/lists.ts';
import { acceptParameters, refuseUnserved } from './accepted-parameters.ts';
import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import {
  finish,
  newWriter,
  type Writer,
  writeParameters,
  writeRawContents,
  writeTensorHeads,
  writeText,
} from './message-writer.ts';
import { type ParameterMap, readParameter } from './parameter-map.ts';
import type { TensorFrame } from './tensor-frame.ts';
import { fillTensors, readTensor } from './tensor-reader.ts';
import { elementwiseBytes } from './typed-contents.ts';

/**
 * ModelInferRequest from a caller's bytes, or why it is refused. Tensors are views on `bytes` wherever the layout allows; at most
 * `maxTypedBytes` are read element by element. At most `maxTensors` inputs and as many outputs are taken. Whether the tensors suit the
 * model is not asked here. @hot
 */
export function decodeInferRequest(bytes: Uint8Array, maxTensors: number, maxTypedBytes: number): InferenceRequest | string {
  const reader = new FieldReader(bytes, 'ModelInferRequest');
  const draft = new Draft();
  while (reader.next()) readField(reader, draft, maxTensors);
  refuseLongContents(reader, draft.frames, maxTypedBytes);
  for (let i = 0; i < draft.frames.length; i++) {
    refuseUnserved(reader, draft.frames[i]!.parameters, draft.frames[i]!.name);
  }
  const inputs = fillTensors(reader, draft.frames, draft.raws);
  const { params, timeoutUs, sequenceId } = acceptParameters(reader, draft.parameters);
  if (draft.model === '') reader.fail('field 1, model_name, is missing or empty');
  if (reader.problem !== '') return reader.problem;
  const { model, version, id, wanted } = draft;
  return { task: 'predict', model, version, id, params, inputs, wanted, timeoutUs, sequenceId };
}

/**
 * Bytes that `decodeInferRequest` would read element by element, found by a look at the frames of the tensors alone. Of a message that is
 * refused before it comes to that, any number will do.
 */
export function typedBytesIn(bytes: Uint8Array, maxTensors: number): number {
  const reader = new FieldReader(bytes, 'ModelInferRequest');
  const draft = new Draft();
  while (reader.next()) readField(reader, draft, maxTensors);
  return typedBytesOf(draft.frames);
}

/** ModelInferRequest for a backend that knows the model by a name of its own: a head written here, then the bytes of each tensor. */
export function encodeInferRequest(request: InferenceRequest, model: string, version: string): Buffer {
  const writer = newWriter();
  writeHead(writer, request, model, version);
  writeRawContents(writer, 7, request.inputs);
  return finish(writer);
}

/** Tensors up to this size are copied next to what stands before them: many small pieces cost more than the copy. */
const COPIED_BYTES = 4_096;

/** The same bytes in pieces, of which those with the bytes of a large tensor are that tensor's own. @hot */
export function inferRequestPieces(request: InferenceRequest, model: string, version: string): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let writer = newWriter();
  writeHead(writer, request, model, version);
  for (let i = 0; i < request.inputs.length; i++) {
    const { data } = request.inputs[i]!;
    writer.uint32(RAW_CONTENTS);
    if (data.length <= COPIED_BYTES) {
      writer.bytes(data);
      continue;
    }
    pieces.push(finish(writer.uint32(data.length)), data);
    writer = newWriter();
  }
  if (writer.len > 0) pieces.push(finish(writer));
  return pieces;
}

/** Field 7, raw_input_contents, with a length. */
const RAW_CONTENTS = (7 << 3) | 2;

function writeHead(writer: Writer, request: InferenceRequest, model: string, version: string): void {
  writeText(writer, 1, model);
  writeText(writer, 2, version);
  writeText(writer, 3, request.id);
  writeParameters(writer, 4, request.params);
  writeTensorHeads(writer, 5, request.inputs);
  writeWanted(writer, request.wanted);
}

const NO_FRAMES: TensorFrame[] = [];
const NO_NAMES: string[] = [];
const NO_BYTES: Uint8Array[] = [];

/** The fields as they come, in any order. */
class Draft {
  seen = 0;
  model = '';
  version = '';
  id = '';
  parameters: ParameterMap | null = null;
  frames: TensorFrame[] = NO_FRAMES;
  wanted: string[] = NO_NAMES;
  raws: Uint8Array[] = NO_BYTES;
}

function readField(reader: FieldReader, draft: Draft, maxTensors: number): void {
  switch (reader.field) {
    case 1:
      draft.seen = reader.once(draft.seen);
      draft.model = reader.text(MAX_TEXT_BYTES);
      break;
    case 2:
      draft.seen = reader.once(draft.seen);
      draft.version = reader.text(MAX_TEXT_BYTES);
      break;
    case 3:
      draft.seen = reader.once(draft.seen);
      draft.id = reader.text(MAX_TEXT_BYTES);
      break;
    case 4:
      draft.parameters ??= new Map();
      readParameter(reader, draft.parameters);
      break;
    case 5:
      if (hasRoom(reader, draft.frames.length, maxTensors))
        draft.frames = appended(draft.frames, readTensor(reader, 'InferInputTensor'));
      break;
    case 6:
      if (hasRoom(reader, draft.wanted.length, maxTensors)) draft.wanted = appended(draft.wanted, readWanted(reader));
      break;
    case 7:
      if (hasRoom(reader, draft.raws.length, maxTensors)) draft.raws = appended(draft.raws, reader.view());
      break;
    default:
      reader.skip();
  }
}

function refuseLongContents(reader: FieldReader, frames: readonly TensorFrame[], maxTypedBytes: number): void {
  const typedBytes = typedBytesOf(frames);
  if (typedBytes > maxTypedBytes) {
    reader.fail(
      `the typed contents have ${typedBytes} bytes, at most ${maxTypedBytes} are read; send large tensors as raw contents`,
    );
  }
}

function typedBytesOf(frames: readonly TensorFrame[]): number {
  let bytes = 0;
  for (let i = 0; i < frames.length; i++) bytes += elementwiseBytes(frames[i]!);
  return bytes;
}

function hasRoom(reader: FieldReader, count: number, maxTensors: number): boolean {
  return (
    count < maxTensors || reader.fail(`field ${reader.field} comes more than ${maxTensors} times, the limit of this gateway`)
  );
}

/** InferRequestedOutputTensor: only its name counts. */
function readWanted(reader: FieldReader): string {
  let seen = 0;
  let name = '';
  let parameters: ParameterMap | null = null;
  reader.enter('InferRequestedOutputTensor');
  while (reader.next()) {
    if (reader.field === 1) {
      seen = reader.once(seen);
      name = reader.text(MAX_TEXT_BYTES);
    } else if (reader.field === 2) {
      parameters ??= new Map();
      readParameter(reader, parameters);
    } else reader.skip();
  }
  reader.leave();
  refuseUnserved(reader, parameters, name);
  return name;
}

function writeWanted(writer: Writer, wanted: readonly string[]): void {
  for (let i = 0; i < wanted.length; i++) {
    writer.uint32((6 << 3) | 2).fork();
    writeText(writer, 1, wanted[i]!);
    writer.ldelim();
  }
}
