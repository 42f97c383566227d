import { DATATYPES, type Datatype, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { MINUS, NINE, QUOTE, ZERO } from './ascii.ts';
import { type JsonCursor, NO_KEY } from './cursor.ts';
import { quoted, shapeText } from './message-text.ts';
import { NameTable } from './name-table.ts';
import { scanNumber } from './number-token.ts';
import { passArray, skipValue } from './skip.ts';
import { readTensorData } from './tensor-reader.ts';

const KEYS = new NameTable(['name', 'shape', 'datatype', 'parameters', 'data']);
const NAME = 0;
const SHAPE = 1;
const DATATYPE = 2;
const PARAMETERS = 3;
const DATA = 4;
const DATATYPE_TABLE = new NameTable(DATATYPES);

const MAX_RANK = 8;
const MAX_NAME_BYTES = 1_024;
const SAFE_DIGITS = 15;

/** Where a tensor says nothing of bytes behind the JSON. */
export const NOT_BINARY = -1;
const ABSENT = -1;

/** What differs between an input that comes in and an output that comes back: its parameters, and the bytes behind the JSON. */
export interface TensorParts {
  /** Forgets the parameters of the tensor before. */
  resetTensor(): void;
  /** Reads the value of `parameters`. False when the cursor has failed. */
  readTensor(cursor: JsonCursor): boolean;
  /** Bytes of the tensor behind the JSON, as its parameters state; NOT_BINARY where its values are in the JSON. */
  readonly binarySize: number;
  /** So many bytes from behind the JSON. Whether shape and datatype need as many is for the model's contract. Null: the cursor has failed. */
  takeBinary(cursor: JsonCursor, size: number): Uint8Array | null;
}

/**
 * One tensor of the protocol's JSON while it is read. Its keys come in any order: data that comes before its datatype and shape is
 * passed over and read last.
 */
export class TensorFields {
  /** `input` or `output`, for messages. */
  readonly #noun: string;
  readonly #parts: TensorParts;
  #name = '';
  #shape: number[] | null = null;
  #datatype: Datatype | null = null;
  #dataAt = ABSENT;
  #data: Uint8Array | null = null;

  constructor(noun: 'input' | 'output', parts: TensorParts) {
    this.#noun = noun;
    this.#parts = parts;
  }

  /** The tensor at the cursor, or null when the cursor has failed. */
  read(cursor: JsonCursor): Tensor | null {
    this.forget();
    this.#parts.resetTensor();
    if (!cursor.openObject()) return null;
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (!this.#field(cursor, key)) return null;
    }
    if (cursor.fault !== '' || !this.#complete(cursor)) return null;
    return { name: this.#name, datatype: this.#datatype!, shape: this.#shape!, data: this.#data! };
  }

  /** How messages call the tensor that is or was read. */
  label(index: number): string {
    return this.#name === '' ? `${this.#noun}s[${index}]` : `${this.#noun} ${quoted(this.#name)}`;
  }

  /** Lets go of the last tensor. */
  forget(): void {
    this.#name = '';
    this.#shape = null;
    this.#datatype = null;
    this.#dataAt = ABSENT;
    this.#data = null;
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
        return this.#parts.readTensor(cursor);
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
      const byte = cursor.peek();
      if (byte !== MINUS && (byte < ZERO || byte > NINE)) return cursor.expected('a number in "shape"');
      if (!scanNumber(cursor)) return false;
      const { integral, negative, digits, mantissa } = cursor.number;
      if (!integral || negative || digits > SAFE_DIGITS) {
        return cursor.fail('dimensions in "shape" must be whole numbers from 0 on, found another', cursor.number.from);
      }
      if (shape.length === MAX_RANK) return cursor.refuse(`"shape" has more than ${MAX_RANK} dimensions`);
      shape.push(mantissa[0]!);
    }
    this.#shape = shape;
    return cursor.fault === '';
  }

  #readDatatype(cursor: JsonCursor): boolean {
    if (cursor.peek() !== QUOTE) return cursor.expected('a string for "datatype"');
    if (!cursor.scanString()) return false;
    const index = DATATYPE_TABLE.find(cursor.bytes, cursor.stringFrom, cursor.stringTo);
    if (index === -1) {
      return cursor.refuse(`there is no datatype ${quoted(cursor.text())}; expected one of ${DATATYPES.join(', ')}`);
    }
    this.#datatype = DATATYPES[index]!;
    return true;
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
    const { binarySize } = this.#parts;
    if (binarySize !== NOT_BINARY) return this.#completeBinary(cursor, binarySize);
    if (this.#dataAt === ABSENT) return cursor.refuse('"data" is missing, and so is the parameter "binary_data_size"');
    if (this.#data !== null) return true;
    const behind = cursor.at;
    cursor.at = this.#dataAt;
    if (!this.#readData(cursor)) return false;
    cursor.at = behind;
    return true;
  }

  #completeBinary(cursor: JsonCursor, size: number): boolean {
    if (this.#dataAt !== ABSENT) {
      return cursor.refuse('has both "data" and the parameter "binary_data_size", expected one of them');
    }
    this.#data = this.#parts.takeBinary(cursor, size);
    return this.#data !== null;
  }
}
