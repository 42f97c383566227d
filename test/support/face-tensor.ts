import type { Datatype } from '../../src/core/datatype.ts';

/** Tensors as all faces of a gateway can say them: bytes in one place, JSON values in another. */

export interface FaceTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** As the binary extension has it. */
  readonly data: Buffer;
}

type Elements = ArrayLike<number | bigint> & ArrayBufferView;
type Kind = { from(values: Iterable<never>): Elements };

const KINDS: Readonly<Record<string, Kind>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
};
const LONG = new Set<string>(['INT64', 'UINT64']);

/** A tensor of JSON-like values: numbers, bigints, booleans or strings. */
export function faceTensor(name: string, datatype: Datatype, shape: readonly number[], values: readonly unknown[]): FaceTensor {
  return { name, datatype, shape, data: bytesOf(datatype, values) };
}

function bytesOf(datatype: Datatype, values: readonly unknown[]): Buffer {
  if (datatype === 'BYTES') return Buffer.concat(values.map((value) => prefixed(Buffer.from(String(value)))));
  const plain = values.map((value) => (LONG.has(datatype) ? BigInt(value as number) : Number(value)));
  const { buffer, byteOffset, byteLength } = KINDS[datatype]!.from(plain as never[]);
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function prefixed(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

/** The elements as a JavaScript caller has them: bigints for 64 bits, booleans for BOOL, buffers for BYTES. */
export function elementsOf({ datatype, data }: FaceTensor): unknown[] {
  if (datatype === 'BYTES') return stringsOf(data);
  // A copy: the bytes may lie anywhere in a message.
  const bytes = new Uint8Array(data).buffer;
  const view = new (KINDS[datatype] as unknown as new (buffer: ArrayBuffer) => Iterable<number | bigint>)(bytes);
  return Array.from(view, (value) => (datatype === 'BOOL' ? value === 1 : value));
}

function stringsOf(data: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const size = data.readUInt32LE(at);
    strings.push(data.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return strings;
}

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** What `JSON.stringify` is to be given: integers beyond 2^53 keep their digits, and -0 its sign. */
export function jsonValues(tensor: FaceTensor): unknown[] {
  return elementsOf(tensor).map((value) => {
    if (typeof value === 'bigint') return rawJSON(String(value));
    if (Object.is(value, -0)) return rawJSON('-0');
    return Buffer.isBuffer(value) ? value.toString() : value;
  });
}

/** Row-major values as nested arrays. */
export function nested(values: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length === 0) return values[0];
  const [size, ...rest] = shape;
  const step = rest.reduce((product, dimension) => product * dimension, 1);
  return Array.from({ length: size! }, (_, i) => nested(values.slice(i * step, (i + 1) * step), rest));
}

/** `JSON.parse` that gives integers beyond 2^53 as bigints. */
export function parseExactly(text: string): Record<string, unknown> {
  const exact = (_key: string, value: unknown, { source }: { source: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown) as Record<string, unknown>;
}
