import { type Datatype, elementBytes } from './datatype.ts';

/** Tensor bytes as numbers, wherever the bytes lie; in the byte order of x64 and arm64, which is the tensor's. */

export type Numbers = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/**
 * All values of a numeric datatype of at most 32 bits, or FP64. A view where the bytes are aligned, else a copy; of at most SHARED_BYTES it may be one
 * that the next call writes over.
 */
export function numbersOf(datatype: Datatype, bytes: Uint8Array): Numbers {
  if (datatype === 'FP32' && bytes.byteOffset % 4 !== 0 && bytes.length <= SHARED_BYTES) return shortFloats(bytes);
  const data = aligned(bytes, elementBytes(datatype));
  const { buffer, byteOffset, byteLength } = data;
  switch (datatype) {
    case 'FP32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'FP64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'INT8':
      return new Int8Array(buffer, byteOffset, byteLength);
    case 'INT16':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'INT32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'UINT16':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'UINT32':
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 'FP16':
      return widened(new Uint16Array(buffer, byteOffset, byteLength / 2), fromHalf);
    case 'BF16':
      return widened(new Uint16Array(buffer, byteOffset, byteLength / 2), fromBrain);
    default:
      return data;
  }
}

/** FP16 or BF16 as they lie there: widening them takes twice their bytes. */
export function unitsOf(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 2);
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

/** All values of INT64 or UINT64. */
export function longsOf(datatype: 'INT64' | 'UINT64', bytes: Uint8Array): BigInt64Array | BigUint64Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 8);
  if (datatype === 'INT64') return new BigInt64Array(buffer, byteOffset, byteLength / 8);
  return new BigUint64Array(buffer, byteOffset, byteLength / 8);
}

/** `value` as the datatype would keep it, so that a limit of 0.1 means the FP32 nearest to 0.1. */
export function roundedTo(datatype: Datatype, value: number): number {
  if (datatype === 'FP32') return Math.fround(value);
  if (datatype === 'FP16') return roundedToBits(value, 10, -14);
  if (datatype === 'BF16') return roundedToBits(value, 7, -126);
  return value;
}

/** Numbers of so few bytes are not to be kept, and cheap to ask for again. */
export const SHARED_BYTES = 512;
const shared = new Uint8Array(SHARED_BYTES);
/** By length. */
const sharedFloats = Array.from({ length: SHARED_BYTES / 4 + 1 }, (_, length) => new Float32Array(shared.buffer, 0, length));

/** The kind that comes most: a typed array a time, and the memory outside of the heap that it may need, cost more than to look at the numbers. */
function shortFloats(bytes: Uint8Array): Float32Array {
  for (let i = 0; i < bytes.length; i++) shared[i] = bytes[i]!;
  return sharedFloats[bytes.length >> 2]!;
}

/** Typed arrays start at multiples of the size of their elements; bytes from the wire start anywhere. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

function widened(units: Uint16Array, value: (unit: number) => number): Float32Array {
  const wide = new Float32Array(units.length);
  for (let i = 0; i < units.length; i++) wide[i] = value(units[i]!);
  return wide;
}

function fromHalf(unit: number): number {
  const sign = unit & 0x8000 ? -1 : 1;
  const exponent = (unit >> 10) & 0x1f;
  const fraction = unit & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

function fromBrain(unit: number): number {
  const sign = unit & 0x8000 ? -1 : 1;
  const exponent = (unit >> 7) & 0xff;
  const fraction = unit & 0x7f;
  if (exponent === 0) return sign * fraction * 2 ** -133;
  if (exponent === 0xff) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (0x80 + fraction) * 2 ** (exponent - 134);
}

function roundedToBits(value: number, bits: number, leastExponent: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), leastExponent);
  const step = 2 ** (exponent - bits);
  return Math.round(value / step) * step;
}
