import { type Datatype, elementBytes } from '../../core/datatype.ts';
import { FieldReader, quoted, WireType } from './field-reader.ts';
import { IntegerSink } from './integer-sink.ts';
import type { TensorFrame } from './tensor-frame.ts';

/**
 * Turns typed contents into the little-endian bytes that raw contents would have held, or says what is wrong. Two walks: the first
 * counts, so that what is allocated follows from bytes that really came and never from a stated shape; the second fills.
 */
export function readContents(frame: TensorFrame): Uint8Array | string {
  if (frame.contents === null || frame.contents.length === 0) return NOTHING;
  const own = FIELDS[frame.datatype];
  const counting = contentsReader(frame, frame.contents);
  const survey = measure(counting, frame.datatype, own);
  if (counting.problem !== '') return counting.problem;
  if (survey.sizeBytes === 0) return NOTHING;
  // A single pack of floats is laid out as raw contents are.
  if (survey.floatChunks === 1) return survey.floats;
  const data = Buffer.allocUnsafe(survey.sizeBytes);
  const filling = contentsReader(frame, frame.contents);
  if (own === BYTES_FIELD) fillByteStrings(filling, data);
  else if (own < FP32_FIELD) fillIntegers(filling, own, new IntegerSink(frame.datatype, data));
  else fillFloats(filling, own, data);
  return filling.problem === '' ? new Uint8Array(data.buffer, data.byteOffset, data.length) : filling.problem;
}

/** The field that holds the elements of each datatype; 0 for those that travel raw only. Integers come first, then floats, then BYTES. */
const FIELDS: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
  FP16: 0,
  BF16: 0,
};
const FP32_FIELD = FIELDS.FP32;
const FP64_FIELD = FIELDS.FP64;
const BYTES_FIELD = FIELDS.BYTES;
/** The length that stands before each element of a BYTES tensor. */
const PREFIX_BYTES = 4;
const NOTHING = new Uint8Array(0);

/** What the first walk found. */
class Survey {
  sizeBytes = 0;
  floatChunks = 0;
  floats: Uint8Array = NOTHING;
}

/**
 * Bytes of the contents that have to be read one element after another; 0 where they are a single pack of floats, which is taken as it is.
 */
export function elementwiseBytes(frame: TensorFrame): number {
  const { contents } = frame;
  if (contents === null || contents.length === 0) return 0;
  const own = FIELDS[frame.datatype];
  if (own !== FP32_FIELD && own !== FP64_FIELD) return contents.length;
  const reader = contentsReader(frame, contents);
  const isPack = reader.next() && reader.field === own && reader.wireType === WireType.Bytes && reader.viewSize() > 0;
  return isPack && !reader.more() ? 0 : contents.length;
}

/** Unpacked elements are fields, so their number is bounded by the bytes alone. */
function contentsReader(frame: TensorFrame, contents: Uint8Array): FieldReader {
  return new FieldReader(contents, `Contents of ${quoted(frame.name)}`, contents.length);
}

function measure(reader: FieldReader, datatype: Datatype, own: number): Survey {
  const survey = new Survey();
  const width = elementBytes(datatype);
  while (reader.next()) {
    if (reader.field > BYTES_FIELD) reader.skip();
    else if (reader.field !== own) refuseField(reader, datatype, own);
    else if (own === BYTES_FIELD) survey.sizeBytes += PREFIX_BYTES + reader.viewSize();
    else if (own < FP32_FIELD) survey.sizeBytes += countIntegers(reader) * width;
    else {
      survey.floats = floatsOf(reader, own);
      survey.floatChunks++;
      survey.sizeBytes += survey.floats.length;
      if (survey.floats.length % width !== 0) reader.fail(`${survey.floats.length} bytes are no whole number of ${datatype}`);
    }
  }
  return survey;
}

function refuseField(reader: FieldReader, datatype: Datatype, own: number): void {
  if (own === 0) reader.fail(`datatype ${datatype} has no typed contents, expected raw contents`);
  else reader.fail(`datatype ${datatype} has its elements in field ${reader.field}, expected field ${own}`);
}

/** Integers in one field, by the bytes that end one; whether each fits is for the second walk to see. */
function countIntegers(reader: FieldReader): number {
  if (reader.wireType === WireType.Varint) {
    reader.varint();
    return 1;
  }
  const pack = reader.view();
  // Such a pack may count as no element at all, and then no second walk would find it out.
  if (pack.length > 0 && pack[pack.length - 1]! >= 0x80) reader.fail('a pack ends inside a number');
  let count = 0;
  for (let i = 0; i < pack.length; i++) if (pack[i]! < 0x80) count++;
  return count;
}

function floatsOf(reader: FieldReader, own: number): Uint8Array {
  if (reader.wireType === WireType.Bytes) return reader.view();
  return reader.fixedView(own === FP32_FIELD ? WireType.Fixed32 : WireType.Fixed64);
}

function fillIntegers(reader: FieldReader, own: number, sink: IntegerSink): void {
  while (reader.next()) {
    if (reader.field !== own) reader.skip();
    else if (reader.wireType === WireType.Varint) sink.take(reader);
    else {
      reader.enter('pack');
      while (reader.more()) sink.take(reader);
      reader.leave();
    }
  }
}

function fillFloats(reader: FieldReader, own: number, data: Buffer): void {
  let at = 0;
  while (reader.next()) {
    if (reader.field !== own) {
      reader.skip();
      continue;
    }
    const floats = floatsOf(reader, own);
    data.set(floats, at);
    at += floats.length;
  }
}

function fillByteStrings(reader: FieldReader, data: Buffer): void {
  let at = 0;
  while (reader.next()) {
    if (reader.field !== BYTES_FIELD) {
      reader.skip();
      continue;
    }
    const size = reader.copyTo(data, at + PREFIX_BYTES);
    data[at] = size;
    data[at + 1] = size >>> 8;
    data[at + 2] = size >>> 16;
    data[at + 3] = size >>> 24;
    at += PREFIX_BYTES + size;
  }
}
