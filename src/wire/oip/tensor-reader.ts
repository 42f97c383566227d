import { isDatatype } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { appended } from '../../core/lists.ts';
import { type FieldReader, MAX_TEXT_BYTES, quoted, WireType } from './field-reader.ts';
import { readParameter } from './parameter-map.ts';
import { TensorFrame } from './tensor-frame.ts';
import { readContents } from './typed-contents.ts';

/** Reads tensors: InferInputTensor and InferOutputTensor share one layout, and metadata the first three fields of it. */

/** Dimensions of a shape: more than any known model has, and few enough that a head of a tensor stays cheap. */
const MAX_RANK = 8;

/** Reads the tensor message that the reader found. */
export function readTensor(reader: FieldReader, message: string): TensorFrame {
  const frame = new TensorFrame();
  let seen = 0;
  reader.enter(message);
  while (reader.next()) {
    if (reader.field < 4) seen = readSpecField(reader, frame, seen, 0);
    else if (reader.field === 4) {
      frame.parameters ??= new Map();
      readParameter(reader, frame.parameters);
    } else if (reader.field === 5) {
      seen = reader.once(seen);
      frame.contents = reader.view();
    } else reader.skip();
  }
  if ((seen & DATATYPE_BIT) === 0) reader.fail('field 2, the datatype, is missing');
  reader.leave();
  return frame;
}

/** Reads the TensorMetadata message that the reader found; a dimension of -1 is allowed here. */
export function readTensorSpec(reader: FieldReader): TensorFrame {
  const frame = new TensorFrame();
  let seen = 0;
  reader.enter('TensorMetadata');
  while (reader.next()) {
    if (reader.field < 4) seen = readSpecField(reader, frame, seen, -1);
    else reader.skip();
  }
  if ((seen & DATATYPE_BIT) === 0) reader.fail('field 2, the datatype, is missing');
  reader.leave();
  return frame;
}

/** Gives each tensor its bytes: views on the raw contents, one a tensor, or else what its typed contents hold. */
export function fillTensors(reader: FieldReader, frames: readonly TensorFrame[], raws: readonly Uint8Array[]): Tensor[] {
  let tensors: Tensor[] = [];
  if (raws.length > 0 && raws.length !== frames.length) {
    reader.fail(`found ${raws.length} raw contents for ${frames.length} tensors, expected none or one for each`);
  }
  for (let i = 0; i < frames.length && reader.problem === ''; i++) {
    const frame = frames[i]!;
    const data = raws.length > 0 ? raws[i]! : readContents(frame);
    if (typeof data === 'string') reader.adopt(data);
    else if (raws.length > 0 && frame.contents !== null) {
      reader.fail(`tensor ${quoted(frame.name)} has typed contents beside raw contents, expected one of the two`);
    } else tensors = appended(tensors, { name: frame.name, datatype: frame.datatype, shape: frame.shape, data });
  }
  return tensors;
}

const DATATYPE_BIT = 1 << 2;

function readSpecField(reader: FieldReader, frame: TensorFrame, seen: number, leastDimension: number): number {
  if (reader.field === 3) {
    readShape(reader, frame, leastDimension);
    return seen;
  }
  const nowSeen = reader.once(seen);
  const text = reader.text(MAX_TEXT_BYTES);
  if (reader.field === 1) frame.name = text;
  else if (isDatatype(text)) frame.datatype = text;
  else reader.fail(`datatype ${quoted(text)} is not one of the protocol's, such as FP32 or BYTES`);
  return nowSeen;
}

/** Read here first, so that a shape is made with as many places as it needs: one that grows has room for sixteen more. */
const dimensions: number[] = new Array<number>(MAX_RANK).fill(0);

/** Dimensions come packed, one by one, or in several packs. */
function readShape(reader: FieldReader, frame: TensorFrame, least: number): void {
  const before = frame.shape.length;
  let count = 0;
  if (reader.wireType === WireType.Varint) count = readDimension(reader, before, count, least);
  else {
    reader.enter('shape');
    while (reader.more()) count = readDimension(reader, before, count, least);
    reader.leave();
  }
  const read = dimensions.slice(0, count);
  frame.shape = before === 0 ? read : frame.shape.concat(read);
}

/** Answers how many have been read, this one included. */
function readDimension(reader: FieldReader, before: number, count: number, least: number): number {
  const size = reader.signed();
  if (typeof size !== 'number' || size < least) {
    reader.fail(`a dimension is ${size}, expected ${least} to ${Number.MAX_SAFE_INTEGER}`);
  } else if (before + count === MAX_RANK) reader.fail(`a shape has more than ${MAX_RANK} dimensions`);
  else dimensions[count++] = size;
  return count;
}
