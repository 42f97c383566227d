import type { Params, Tensor } from '../../core/inference.ts';
import { FieldWriter } from './field-writer.ts';

/** Writes the parts that several messages share. Fields that hold their default are left out, as proto3 wants it. */

export type Writer = FieldWriter;

/** The one writer there is, unless somebody is in the middle of a message with it. */
let spare: FieldWriter | null = null;

/** An empty writer; `finish` ends its use. */
export function newWriter(): Writer {
  const writer = spare ?? new FieldWriter();
  spare = null;
  return writer;
}

/** All that was written, in bytes of its own. */
export function finish(writer: Writer): Buffer {
  const bytes = writer.finish();
  spare = writer;
  return bytes;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** A string field; left out when empty. */
export function writeText(writer: Writer, field: number, text: string): void {
  if (text !== '') writeEntryText(writer, field, text);
}

/** One entry of a repeated string field, empty or not. */
export function writeEntryText(writer: Writer, field: number, text: string): void {
  writer.uint32((field << 3) | BYTES).string(text);
}

export function writeBool(writer: Writer, field: number, value: boolean): void {
  if (value) writer.uint32((field << 3) | VARINT).bool(true);
}

/** A whole number from 0 as uint64, int32 or enum; left out when 0. */
export function writeCount(writer: Writer, field: number, value: number): void {
  if (value !== 0) writer.uint32((field << 3) | VARINT).uint64(value);
}

/** Opens a sub-message; `writer.ldelim()` closes it. */
export function openField(writer: Writer, field: number): void {
  writer.uint32((field << 3) | BYTES).fork();
}

/** Name, datatype and shape: the first three fields of every tensor message. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** Tensor messages without contents; those follow raw. */
export function writeTensorHeads(writer: Writer, field: number, tensors: readonly TensorHead[]): void {
  for (let i = 0; i < tensors.length; i++) {
    const tensor = tensors[i]!;
    writer.uint32((field << 3) | BYTES).fork();
    writeText(writer, 1, tensor.name);
    writeText(writer, 2, tensor.datatype);
    writeShape(writer, 3, tensor.shape);
    writer.ldelim();
  }
}

/** The bytes of each tensor, in order; an empty one has its entry too. */
export function writeRawContents(writer: Writer, field: number, tensors: readonly Tensor[]): void {
  for (let i = 0; i < tensors.length; i++) writer.uint32((field << 3) | BYTES).bytes(tensors[i]!.data);
}

/** What stands before so many bytes of one tensor. */
export function rawContentsHead(field: number, size: number): Buffer {
  return finish(
    newWriter()
      .uint32((field << 3) | BYTES)
      .uint32(size),
  );
}

/** A map<string, InferParameter>. */
export function writeParameters(writer: Writer, field: number, params: Params): void {
  if (params.size === 0) return;
  for (const [name, value] of params) {
    writer.uint32((field << 3) | BYTES).fork();
    writeEntryText(writer, 1, name);
    writer.uint32((2 << 3) | BYTES).fork();
    writeChoice(writer, value);
    writer.ldelim().ldelim();
  }
}

/** A packed int64 field. */
export function writeShape(writer: Writer, field: number, shape: readonly number[]): void {
  if (shape.length === 0) return;
  writer.uint32((field << 3) | BYTES).fork();
  for (let i = 0; i < shape.length; i++) writer.int64(shape[i]!);
  writer.ldelim();
}

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** InferParameter. A choice is written even where it holds its default: which one was made is what counts. */
function writeChoice(writer: Writer, value: string | number | bigint | boolean): void {
  if (typeof value === 'boolean') writer.uint32((1 << 3) | VARINT).bool(value);
  else if (typeof value === 'string') writeEntryText(writer, 3, value);
  else if (typeof value === 'bigint') {
    writer.uint32(((value > MAX_INT64 ? 5 : 2) << 3) | VARINT).int64(halves(value));
  } else if (Number.isSafeInteger(value)) writer.uint32((2 << 3) | VARINT).int64(value);
  else writer.uint32((4 << 3) | FIXED64).double(value);
}

/** The writer knows 64-bit integers beyond 2^53 as two halves. */
function halves(value: bigint): { low: number; high: number } {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}
