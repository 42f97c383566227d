import { elementBytes } from '../core/datatype.ts';
import type { Tensor } from '../core/inference.ts';

/** The elements of a tensor as numbers, read in the byte order of x64 and arm64, which is the tensor's. Half-width floats are widened. */
export type Numbers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
export type BigNumbers = BigInt64Array | BigUint64Array;

/** Elements of a numeric tensor of at most 32 bits each, or of a floating one. */
export function numbersOf(tensor: Tensor): Numbers {
  const { buffer, byteOffset, length } = aligned(tensor);
  switch (tensor.datatype) {
    case 'INT8':
      return new Int8Array(buffer, byteOffset, length);
    case 'UINT8':
    case 'BOOL':
      return new Uint8Array(buffer, byteOffset, length);
    case 'INT16':
      return new Int16Array(buffer, byteOffset, length / 2);
    case 'UINT16':
      return new Uint16Array(buffer, byteOffset, length / 2);
    case 'INT32':
      return new Int32Array(buffer, byteOffset, length / 4);
    case 'UINT32':
      return new Uint32Array(buffer, byteOffset, length / 4);
    case 'FP32':
      return new Float32Array(buffer, byteOffset, length / 4);
    case 'FP64':
      return new Float64Array(buffer, byteOffset, length / 8);
    case 'FP16':
      return widenHalf(new Uint16Array(buffer, byteOffset, length / 2));
    case 'BF16':
      return widenBrain(new Uint16Array(buffer, byteOffset, length / 2));
    default:
      throw new Error(`tensor "${tensor.name}" is ${tensor.datatype}, whose elements are not plain numbers`);
  }
}

/** Elements of an INT64 or UINT64 tensor. */
export function bigNumbersOf(tensor: Tensor): BigNumbers {
  const { buffer, byteOffset, length } = aligned(tensor);
  return tensor.datatype === 'INT64'
    ? new BigInt64Array(buffer, byteOffset, length / 8)
    : new BigUint64Array(buffer, byteOffset, length / 8);
}

/** The tensor's bytes at an address that a typed array accepts: themselves, or a copy when they lie askew in a larger buffer. */
function aligned(tensor: Tensor): Uint8Array {
  const size = elementBytes(tensor.datatype);
  if (size === 0 || tensor.data.length % size !== 0) {
    throw new Error(
      `tensor "${tensor.name}" has ${tensor.data.length} bytes, which is no whole number of ${tensor.datatype} elements`,
    );
  }
  // The constructor copies; `slice` would not, since on a Buffer it gives another view on the same bytes.
  return tensor.data.byteOffset % size === 0 ? tensor.data : new Uint8Array(tensor.data);
}

/** FP16: one sign bit, five of exponent (bias 15), ten of fraction. */
function widenHalf(bits: Uint16Array): Float32Array {
  const wide = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    let value: number;
    if (exponent === 0x1f) value = fraction === 0 ? Infinity : NaN;
    else if (exponent === 0) value = fraction * 2 ** -24;
    else value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    wide[i] = half >= 0x8000 ? -value : value;
  }
  return wide;
}

/** BF16 is the upper half of an FP32. */
function widenBrain(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i]! << 16;
  return new Float32Array(wide.buffer);
}
