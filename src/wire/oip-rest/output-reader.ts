import { DATATYPES, type Datatype, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { NINE, QUOTE, ZERO } from '../json/ascii.ts';
import { type JsonCursor, NO_KEY } from '../json/cursor.ts';
import { quoted, shapeText } from '../json/message-text.ts';
import { NameTable } from '../json/name-table.ts';
import { scanNumber } from '../json/number-token.ts';
import { passArray, skipValue } from '../json/skip.ts';
import { readTensorData } from '../json/tensor-reader.ts';

const KEYS = new NameTable(['name', 'shape', 'datatype', 'parameters', 'data']);
const NAME = 0;
const SHAPE = 1;
const DATATYPE = 2;
const PARAMETERS = 3;
const DATA = 4;
const DATATYPE_TABLE = new NameTable(DATATYPES);
const PARAMETER_KEYS = new NameTable(['binary_data_size']);

const MAX_RANK = 8;
const MAX_NAME_BYTES = 1_024;
const SAFE_DIGITS = 15;
const ABSENT = -1;
const NOTHING = Buffer.alloc(0);

/** Reads the outputs of an answer one after another. Keys come in any order; data is in the JSON or in the bytes behind it. */
export class OutputReader {
  #tail: Buffer = NOTHING;
  #tailAt = 0;
  #name = '';
  #shape: number[] | null = null;
  #datatype: Datatype | null = null;
  #dataAt = ABSENT;
  #data: Uint8Array | null = null;
  #binarySize = ABSENT;

  /** Begins an answer; `tail` is what stands behind its JSON. */
  start(tail: Buffer): void {
    this.#tail = tail;
    this.#tailAt = 0;
  }

  /** Lets go of the answer. */
  stop(): void {
    this.#tail = NOTHING;
    this.#forget();
  }

  /** Bytes behind the JSON that no output has taken yet. */
  get left(): number {
    return this.#tail.length - this.#tailAt;
  }

  /** How messages call the output that is or was read. */
  label(index: number): string {
    return this.#name === '' ? `outputs[${index}]` : `output ${quoted(this.#name)}`;
  }

  /** The output at the cursor, or null when the cursor has failed. */
  read(cursor: JsonCursor): Tensor | null {
    this.#forget();
    if (!cursor.openObject()) return null;
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (!this.#field(cursor, key)) return null;
    }
    if (cursor.fault !== '' || !this.#complete(cursor)) return null;
    return { name: this.#name, datatype: this.#datatype!, shape: this.#shape!, data: this.#data! };
  }

  #forget(): void {
    this.#name = '';
    this.#shape = null;
    this.#datatype = null;
    this.#dataAt = ABSENT;
    this.#data = null;
    this.#binarySize = ABSENT;
  }

  #field(cursor: JsonCursor, key: number): boolean {
    switch (key) {
      case NAME:
        return this.#readName(cursor);
      case SHAPE:
        return this.#readShape(cursor);
      case DATATYPE:
        return this.#readDatatype(cursor);
      case PARAMETERS:
        return this.#readParameters(cursor);
      case DATA:
        cursor.peek();
        this.#dataAt = cursor.at;
        return this.#datatype !== null && this.#shape !== null ? this.#readData(cursor) : passArray(cursor);
      default:
        return skipValue(cursor, false) !== -1;
    }
  }

  #readName(cursor: JsonCursor): boolean {
    if (cursor.peek() !== QUOTE) return cursor.expected('a string for "name"');
    if (!cursor.scanString()) return false;
    if (cursor.stringTo - cursor.stringFrom > MAX_NAME_BYTES) {
      return cursor.refuse(`"name" is longer than ${MAX_NAME_BYTES} bytes`);
    }
    this.#name = cursor.text();
    return this.#name !== '' || cursor.refuse('"name" is empty');
  }

  #readShape(cursor: JsonCursor): boolean {
    if (!cursor.openArray()) return false;
    const shape: number[] = [];
    while (cursor.nextElement()) {
      const size = wholeNumber(cursor, 'in "shape"');
      if (size === -1) return false;
      if (shape.length === MAX_RANK) return cursor.refuse(`"shape" has more than ${MAX_RANK} dimensions`);
      shape.push(size);
    }
    this.#shape = shape;
    return cursor.fault === '';
  }

  #readDatatype(cursor: JsonCursor): boolean {
    if (cursor.peek() !== QUOTE) return cursor.expected('a string for "datatype"');
    if (!cursor.scanString()) return false;
    const index = DATATYPE_TABLE.find(cursor.bytes, cursor.stringFrom, cursor.stringTo);
    if (index === -1) return cursor.refuse(`there is no datatype ${quoted(cursor.text())}`);
    this.#datatype = DATATYPES[index]!;
    return true;
  }

  #readParameters(cursor: JsonCursor): boolean {
    cursor.peek();
    // Python servers write what they do not have as null.
    if (cursor.literal('null')) return true;
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(PARAMETER_KEYS);
      if (key === NO_KEY) return cursor.fault === '';
      if (key === 0) {
        this.#binarySize = wholeNumber(cursor, 'for "binary_data_size"');
        if (this.#binarySize === -1) return false;
      } else if (skipValue(cursor, false) === -1) return false;
    }
  }

  #readData(cursor: JsonCursor): boolean {
    const count = elementCount(this.#shape!);
    if (count === -1) return cursor.refuse(`shape ${shapeText(this.#shape!)} holds more values than can be counted`);
    this.#data = readTensorData(cursor, this.#datatype!, this.#shape!, count);
    return this.#data !== null;
  }

  /** Looks for what is missing, and reads the data if it had to wait. */
  #complete(cursor: JsonCursor): boolean {
    if (this.#name === '') return cursor.refuse('"name" is missing');
    if (this.#datatype === null) return cursor.refuse('"datatype" is missing');
    if (this.#shape === null) return cursor.refuse('"shape" is missing');
    if (this.#binarySize !== ABSENT) return this.#takeBinary(cursor);
    if (this.#dataAt === ABSENT) return cursor.refuse('has neither "data" nor "binary_data_size"');
    if (this.#data !== null) return true;
    const behind = cursor.at;
    cursor.at = this.#dataAt;
    if (!this.#readData(cursor)) return false;
    cursor.at = behind;
    return true;
  }

  /** A view. Whether shape and datatype need as many bytes is for the model's contract to say. */
  #takeBinary(cursor: JsonCursor): boolean {
    if (this.#dataAt !== ABSENT) return cursor.refuse('has both "data" and "binary_data_size"');
    const size = this.#binarySize;
    if (size > this.left)
      return cursor.refuse(`"binary_data_size" is ${size}, and only ${this.left} bytes are left behind the JSON`);
    this.#data = this.#tail.subarray(this.#tailAt, this.#tailAt + size);
    this.#tailAt += size;
    return true;
  }
}

/** The whole number at the cursor, or -1 when the cursor has failed. */
function wholeNumber(cursor: JsonCursor, where: string): number {
  const byte = cursor.peek();
  const starts = byte >= ZERO && byte <= NINE;
  if (starts && !scanNumber(cursor)) return -1;
  const { integral, digits, mantissa } = cursor.number;
  if (starts && integral && digits <= SAFE_DIGITS) return mantissa[0]!;
  cursor.expected(`a whole number ${where}`);
  return -1;
}
