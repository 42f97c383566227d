import type { Datatype } from '../../core/datatype.ts';
import { MINUS, NINE, ZERO } from './ascii.ts';
import type { JsonCursor } from './cursor.ts';
import { ElementSink } from './element-sink.ts';
import { numberText, scanNumber } from './number-token.ts';

/** Integer and BOOL elements. Integers are written without fraction and exponent, and are exact over the whole range of the datatype. */

const EXACT_DIGITS = 15;
const LONG_DIGITS = 20; // of 2^64 - 1
const TWO_32 = 0x1_0000_0000;

abstract class IntegerSink extends ElementSink {
  protected readonly data: Buffer;

  constructor(datatype: Datatype, wanted: string, sizeBytes: number) {
    super(datatype, wanted);
    this.data = Buffer.allocUnsafe(sizeBytes);
  }

  override bytes(): Uint8Array {
    return this.data;
  }

  /** Reads a number token and leaves its magnitude, exact up to 15 digits, in the cursor's mantissa. */
  protected scan(cursor: JsonCursor, byte: number, index: number): boolean {
    if (byte !== MINUS && (byte < ZERO || byte > NINE)) return this.wrongKind(cursor, byte, index);
    if (!scanNumber(cursor)) return false;
    if (cursor.number.integral) return true;
    return cursor.fail(
      `value ${index} has a fraction or an exponent, expected an integer for ${this.datatype}`,
      cursor.number.from,
    );
  }
}

/** Integers of one, two or four bytes. */
export class ShortIntegerSink extends IntegerSink {
  readonly #size: number;
  readonly #least: number;
  readonly #greatest: number;

  constructor(datatype: Datatype, size: number, count: number) {
    super(datatype, 'an integer', size * count);
    const signed = datatype.startsWith('INT');
    this.#size = size;
    this.#least = signed ? -(2 ** (size * 8 - 1)) : 0;
    this.#greatest = 2 ** (signed ? size * 8 - 1 : size * 8) - 1;
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (!this.scan(cursor, byte, index)) return false;
    const number = cursor.number;
    const value = number.negative ? -number.mantissa[0]! : number.mantissa[0]!;
    if (number.digits > EXACT_DIGITS || value < this.#least || value > this.#greatest) return this.outOfRange(cursor, index);
    const size = this.#size;
    const at = index * size;
    this.data[at] = value;
    if (size > 1) this.data[at + 1] = value >> 8;
    if (size > 2) {
      this.data[at + 2] = value >> 16;
      this.data[at + 3] = value >> 24;
    }
    return true;
  }
}

/** INT64 and UINT64. Fifteen digits go by way of two halves, more by way of a BigInt. */
export class LongIntegerSink extends IntegerSink {
  readonly #signed: boolean;

  constructor(datatype: 'INT64' | 'UINT64', count: number) {
    super(datatype, 'an integer', 8 * count);
    this.#signed = datatype === 'INT64';
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (!this.scan(cursor, byte, index)) return false;
    const number = cursor.number;
    if (number.digits > EXACT_DIGITS) return this.#putLong(cursor, index);
    const value = number.negative ? -number.mantissa[0]! : number.mantissa[0]!;
    if (value < 0 && !this.#signed) return this.outOfRange(cursor, index);
    const high = Math.floor(value / TWO_32);
    this.data.writeInt32LE((value - high * TWO_32) | 0, index * 8);
    this.data.writeInt32LE(high | 0, index * 8 + 4);
    return true;
  }

  #putLong(cursor: JsonCursor, index: number): boolean {
    const number = cursor.number;
    // The length comes first: turning a megabyte of digits into a BigInt takes seconds.
    if (number.to - number.from > LONG_DIGITS) return this.outOfRange(cursor, index);
    const value = BigInt(numberText(cursor));
    const kept = this.#signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (kept !== value) return this.outOfRange(cursor, index);
    this.data.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
    return true;
  }
}

/** BOOL: `true` and `false`, or 1 and 0 as numeric clients write them. */
export class BoolSink extends IntegerSink {
  constructor(count: number) {
    super('BOOL', 'a boolean', count);
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (cursor.literal('true')) {
      this.data[index] = 1;
      return true;
    }
    if (cursor.literal('false')) {
      this.data[index] = 0;
      return true;
    }
    if (!this.scan(cursor, byte, index)) return false;
    const { mantissa, digits, negative } = cursor.number;
    if (digits > 1 || mantissa[0]! > 1 || negative) return this.outOfRange(cursor, index);
    this.data[index] = mantissa[0]!;
    return true;
  }
}
