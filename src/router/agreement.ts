import { type Datatype, elementBytes, elementCount } from '../core/datatype.ts';
import type { Tensor } from '../core/inference.ts';

/** Whether two answers to one question come to the same decision. */
export type Agreement = 'agreed' | 'disagreed' | 'incomparable';

/** No value of a row that holds a NaN is the largest. */
const NO_ARGMAX = -1;

/**
 * Compares the first output that both have under one name and shape, floats before integers: floats by the position of the largest
 * value in each row of the last dimension, so that rounding does not count as a difference; integers and truth values exactly.
 * Incomparable when there is no such output, or when its rows hold one value, of which any is the largest.
 */
export function argmaxAgreement(a: readonly Tensor[], b: readonly Tensor[]): Agreement {
  for (const one of a) {
    const other = counterpart(one, b);
    if (other !== null && isRanked(one) && isRanked(other)) return sameArgmax(one, other) ? 'agreed' : 'disagreed';
  }
  for (const one of a) {
    const other = counterpart(one, b);
    if (other !== null && one.datatype === other.datatype && isCounted(one) && isCounted(other)) {
      return Buffer.compare(one.data, other.data) === 0 ? 'agreed' : 'disagreed';
    }
  }
  return 'incomparable';
}

function counterpart(one: Tensor, others: readonly Tensor[]): Tensor | null {
  for (const other of others) {
    if (other.name === one.name && sameShape(one.shape, other.shape)) return other;
  }
  return null;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

function isRanked(tensor: Tensor): boolean {
  const columns = tensor.shape.at(-1) ?? 0;
  return columns > 1 && READERS.has(tensor.datatype) && isWhole(tensor);
}

function isCounted(tensor: Tensor): boolean {
  return tensor.datatype !== 'BYTES' && !READERS.has(tensor.datatype) && isWhole(tensor);
}

/** A backend may say one shape and send the bytes of another. */
function isWhole(tensor: Tensor): boolean {
  const count = elementCount(tensor.shape);
  return count > 0 && tensor.data.length === count * elementBytes(tensor.datatype);
}

function sameArgmax(a: Tensor, b: Tensor): boolean {
  const columns = a.shape.at(-1)!;
  const rows = elementCount(a.shape) / columns;
  const one = new Ranking(a, columns);
  const other = new Ranking(b, columns);
  for (let row = 0; row < rows; row++) {
    if (one.argmax(row) !== other.argmax(row)) return false;
  }
  return true;
}

/** Reads a value whose order is that of the floats; NaN stays NaN. */
type Reader = (view: DataView, at: number) => number;

const READERS: ReadonlyMap<Datatype, Reader> = new Map<Datatype, Reader>([
  ['FP32', (view, at) => view.getFloat32(at, true)],
  ['FP64', (view, at) => view.getFloat64(at, true)],
  ['FP16', (view, at) => halfRank(view.getUint16(at, true), 0x7c00)],
  ['BF16', (view, at) => halfRank(view.getUint16(at, true), 0x7f80)],
]);

/** The bits of a 16-bit float after its sign are in the order of its size, so they rank values without being decoded. */
function halfRank(bits: number, infinity: number): number {
  const size = bits & 0x7fff;
  if (size > infinity) return Number.NaN;
  return bits > 0x7fff ? -size : size;
}

class Ranking {
  // A DataView reads at any offset; a typed array throws on bytes that came unaligned.
  readonly #view: DataView;
  readonly #read: Reader;
  readonly #columns: number;
  readonly #elementBytes: number;

  constructor(tensor: Tensor, columns: number) {
    this.#view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    this.#read = READERS.get(tensor.datatype)!;
    this.#columns = columns;
    this.#elementBytes = elementBytes(tensor.datatype);
  }

  /** Position of the first of the largest values. */
  argmax(row: number): number {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let column = 0; column < this.#columns; column++) {
      const value = this.#read(this.#view, (row * this.#columns + column) * this.#elementBytes);
      if (Number.isNaN(value)) return NO_ARGMAX;
      if (value > most) {
        most = value;
        best = column;
      }
    }
    return best;
  }
}
