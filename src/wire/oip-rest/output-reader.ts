import type { Tensor } from '../../core/inference.ts';
import { NINE, ZERO } from '../json/ascii.ts';
import { type JsonCursor, NO_KEY } from '../json/cursor.ts';
import { NameTable } from '../json/name-table.ts';
import { scanNumber } from '../json/number-token.ts';
import { skipValue } from '../json/skip.ts';
import { NOT_BINARY, TensorFields, type TensorParts } from '../json/tensor-fields.ts';

const PARAMETER_KEYS = new NameTable(['binary_data_size']);
const SAFE_DIGITS = 15;
const NOTHING = Buffer.alloc(0);

/** Reads the outputs of an answer one after another; their data is in the JSON or in the bytes behind it. */
export class OutputReader implements TensorParts {
  readonly #fields = new TensorFields('output', this);
  #tail: Buffer = NOTHING;
  #tailAt = 0;
  binarySize = NOT_BINARY;

  /** Begins an answer; `tail` is what stands behind its JSON. */
  start(tail: Buffer): void {
    this.#tail = tail;
    this.#tailAt = 0;
  }

  /** Lets go of the answer. */
  stop(): void {
    this.#tail = NOTHING;
    this.#fields.forget();
  }

  /** Bytes behind the JSON that no output has taken yet. */
  get left(): number {
    return this.#tail.length - this.#tailAt;
  }

  /** How messages call the output that is or was read. */
  label(index: number): string {
    return this.#fields.label(index);
  }

  /** The output at the cursor, or null when the cursor has failed. */
  read(cursor: JsonCursor): Tensor | null {
    return this.#fields.read(cursor);
  }

  resetTensor(): void {
    this.binarySize = NOT_BINARY;
  }

  readTensor(cursor: JsonCursor): boolean {
    cursor.peek();
    // Python servers write what they do not have as null.
    if (cursor.literal('null')) return true;
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(PARAMETER_KEYS);
      if (key === NO_KEY) return cursor.fault === '';
      if (!(key === 0 ? this.#readSize(cursor) : skipValue(cursor, false) !== -1)) return false;
    }
  }

  /** A view. */
  takeBinary(cursor: JsonCursor, size: number): Uint8Array | null {
    if (size > this.left) {
      cursor.refuse(`"binary_data_size" is ${size}, and only ${this.left} bytes are left behind the JSON`);
      return null;
    }
    this.#tailAt += size;
    return this.#tail.subarray(this.#tailAt - size, this.#tailAt);
  }

  #readSize(cursor: JsonCursor): boolean {
    const byte = cursor.peek();
    const starts = byte >= ZERO && byte <= NINE;
    if (starts && !scanNumber(cursor)) return false;
    const { integral, digits, mantissa } = cursor.number;
    if (!starts || !integral || digits > SAFE_DIGITS) return cursor.expected('a whole number for "binary_data_size"');
    this.binarySize = mantissa[0]!;
    return true;
  }
}
