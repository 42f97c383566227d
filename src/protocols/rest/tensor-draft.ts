import { DATATYPES, type Datatype, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { MINUS, NINE, QUOTE, ZERO } from '../../wire/json/ascii.ts';
import { type JsonCursor, NO_KEY } from '../../wire/json/cursor.ts';
import { quoted, shapeText } from '../../wire/json/message-text.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { scanNumber } from '../../wire/json/number-token.ts';
import { passArray, skipValue } from '../../wire/json/skip.ts';
import { readTensorData } from '../../wire/json/tensor-reader.ts';
import type { BinaryTail } from './binary-tail.ts';
import type { ParameterReader } from './parameters.ts';

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
const ABSENT = -1;

/**
 * One input while it is read. Its keys come in any order: data that comes before its datatype and shape is passed over and read last.
 * Instead of data it may have `binary_data_size` bytes of what stands behind the JSON.
 */
export class TensorDraft {
  readonly #parameters: ParameterReader;
  readonly #tail: BinaryTail;
  #name = '';
  #shape: number[] | null = null;
  #datatype: Datatype | null = null;
  #dataAt = ABSENT;
  #data: Uint8Array | null = null;

  constructor(parameters: ParameterReader, tail: BinaryTail) {
    this.#parameters = parameters;
    this.#tail = tail;
  }

  /** The input at the cursor, or null when the cursor has failed. */
  read(cursor: JsonCursor): Tensor | null {
    this.forget();
    this.#parameters.resetTensor();
    if (!cursor.openObject()) return null;
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (!this.#field(cursor, key)) return null;
    }
    if (cursor.fault !== '' || !this.#complete(cursor)) return null;
    return { name: this.#name, datatype: this.#datatype!, shape: this.#shape!, data: this.#data! };
  }

  /** How messages call the input that is or was read. */
  label(index: number): string {
    return this.#name === '' ? `inputs[${index}]` : `input ${quoted(this.#name)}`;
  }

  /** Lets go of the last input. */
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
        return this.#parameters.readTensor(cursor);
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
    if (cursor.stringTo - cursor.stringFrom > MAX_NAME_BYTES)
      return cursor.refuse(`"name" is longer than ${MAX_NAME_BYTES} bytes`);
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

  /** Looks for what is missing and reads the data if it had to wait. */
  #complete(cursor: JsonCursor): boolean {
    if (this.#name === '') return cursor.refuse('"name" is missing');
    if (this.#datatype === null) return cursor.refuse('"datatype" is missing');
    if (this.#shape === null) return cursor.refuse('"shape" is missing');
    if (this.#parameters.binarySize !== ABSENT) return this.#takeBinary(cursor, this.#parameters.binarySize);
    if (this.#dataAt === ABSENT) return cursor.refuse('"data" is missing, and so is the parameter "binary_data_size"');
    if (this.#data !== null) return true;
    const behind = cursor.at;
    cursor.at = this.#dataAt;
    if (!this.#readData(cursor)) return false;
    cursor.at = behind;
    return true;
  }
  /** Whether shape and datatype need as many bytes is for the model's contract to say. */
  #takeBinary(cursor: JsonCursor, size: number): boolean {
    if (this.#dataAt !== ABSENT)
      return cursor.refuse('has both "data" and the parameter "binary_data_size", expected one of them');
    const problem = this.#tail.problem(size);
    if (problem !== '') return cursor.refuse(problem);
    this.#data = this.#tail.take(size);
    return true;
  }
}
