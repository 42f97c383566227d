import { type Datatype, elementBytes, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';

/** Values of a float tensor of any width, wherever its bytes begin. */

export type FloatDatatype = 'FP16' | 'BF16' | 'FP32' | 'FP64';

/** From the coarsest to the finest, by the bits of the significand. */
const COARSE_FIRST: readonly FloatDatatype[] = ['BF16', 'FP16', 'FP32', 'FP64'];

export const isFloat = (datatype: Datatype): datatype is FloatDatatype =>
  datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16' || datatype === 'BF16';

/** Of two the one that rounds more. */
export const coarser = (a: FloatDatatype, b: FloatDatatype): FloatDatatype =>
  COARSE_FIRST.indexOf(a) < COARSE_FIRST.indexOf(b) ? a : b;

/** A backend may say one shape and send the bytes of another. */
export function isWhole(tensor: Tensor): boolean {
  const count = elementCount(tensor.shape);
  return count > 0 && tensor.data.length === count * elementBytes(tensor.datatype);
}

/** Small integers, since the switch below runs for each value. */
const Kind = { FP16: 0, BF16: 1, FP32: 2, FP64: 3 } as const;

export class FloatReader {
  // A DataView reads at any offset; a typed array throws on bytes that came unaligned.
  readonly #view: DataView;
  readonly #kind: number;

  constructor({ data, datatype }: Tensor) {
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.#kind = Kind[datatype as FloatDatatype];
  }

  at(index: number): number {
    switch (this.#kind) {
      case Kind.FP32:
        return this.#view.getFloat32(index * 4, true);
      case Kind.FP64:
        return this.#view.getFloat64(index * 8, true);
      case Kind.FP16:
        return half(this.#view.getUint16(index * 2, true));
      default:
        return brain(this.#view.getUint16(index * 2, true));
    }
  }
}

/** 1 bit sign, 5 bits exponent, 10 bits significand. */
function half(bits: number): number {
  const sign = bits > 0x7fff ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const significand = bits & 0x3ff;
  if (exponent === 0x1f) return significand === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * significand * LEAST_HALF;
  return sign * (significand + 0x400) * HALF_POWERS[exponent]!;
}

/** By exponent; a table takes a tenth of the time of the operator. */
const HALF_POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));
const LEAST_HALF = 2 ** -24;

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of an FP32. */
function brain(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}
