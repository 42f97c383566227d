import type { Params } from '../../core/inference.ts';
import { NINE, QUOTE, ZERO } from '../../wire/json/ascii.ts';
import { type JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { numberText, scanNumber } from '../../wire/json/number-token.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { NOT_BINARY } from '../../wire/json/tensor-fields.ts';

const NONE: Params = new Map();
const NAMES = new NameTable(['sequence_id', 'sequence_start', 'sequence_end', 'priority', 'timeout', 'binary_data_output']);
const SEQUENCE_ID = 0;
const PRIORITY = 3;
const TIMEOUT = 4;
const BINARY_OUTPUT = 5;
const TENSOR_NAMES = new NameTable(['binary_data_size', 'binary_data']);
const BINARY_SIZE = 0;

const MAX_SEQUENCE_BYTES = 256;
const SAFE_DIGITS = 15;
const MAX_DIGITS = 20; // of 2^64 - 1
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * The `parameters` of a request, an input or an output. Only those of the allow-list of the whole request are kept; the rest is dropped,
 * except what would make the gateway misread the tensors or a backend read memory that is not the caller's.
 */
export class ParameterReader {
  timeoutUs = 0;
  sequenceId = '';
  /** Whether outputs that say nothing of themselves are to be binary. */
  binaryOutput = false;
  /** Of the input or output that was read last: its bytes behind the JSON, or -1 where its values are in the JSON. */
  binarySize = NOT_BINARY;
  /** Of the input or output that was read last: its wish to be binary, or null where it has none. */
  binary: boolean | null = null;
  #params: Map<string, string | number | bigint | boolean> | null = null;

  reset(): void {
    this.timeoutUs = 0;
    this.sequenceId = '';
    this.binaryOutput = false;
    this.#params = null;
  }

  get params(): Params {
    return this.#params ?? NONE;
  }

  /** Reads the parameters of the whole request. False when the cursor has failed. */
  readRequest(cursor: JsonCursor): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(NAMES);
      if (key === NO_KEY) return cursor.fault === '';
      if (!(key === STRANGER ? this.#stranger(cursor) : this.#known(cursor, key))) return false;
    }
  }

  /** Begins an input or output, which may have no parameters at all. */
  resetTensor(): void {
    this.binarySize = NOT_BINARY;
    this.binary = null;
  }

  /** Reads the parameters of one input or output: how it travels is noted, the rest is dropped. */
  readTensor(cursor: JsonCursor): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(TENSOR_NAMES);
      if (key === NO_KEY) return cursor.fault === '';
      if (!(key === STRANGER ? this.#stranger(cursor) : this.#binary(cursor, key))) return false;
    }
  }

  #known(cursor: JsonCursor, key: number): boolean {
    const name = NAMES.names[key]!;
    if (key === SEQUENCE_ID) return this.#sequenceId(cursor, name);
    if (key !== PRIORITY && key !== TIMEOUT) {
      const flag = flagAt(cursor, name);
      if (flag === null) return false;
      if (key === BINARY_OUTPUT) this.binaryOutput = flag;
      else this.#keep(name, flag);
      return true;
    }
    const value = wholeNumber(cursor, name);
    if (value === null) return false;
    if (key === TIMEOUT) this.timeoutUs = Number(value);
    else this.#keep(name, value);
    return true;
  }

  /** A string or a whole number; an empty string and 0 mean that there is no sequence. */
  #sequenceId(cursor: JsonCursor, name: string): boolean {
    if (cursor.peek() !== QUOTE) {
      const value = wholeNumber(cursor, name);
      if (value === null) return false;
      if (Number(value) === 0) return true;
      this.sequenceId = String(value);
      return this.#keep(name, value);
    }
    if (!cursor.scanString()) return false;
    if (cursor.stringTo - cursor.stringFrom > MAX_SEQUENCE_BYTES) {
      return cursor.refuse(`parameter "${name}" is longer than ${MAX_SEQUENCE_BYTES} bytes`);
    }
    this.sequenceId = cursor.text();
    return this.sequenceId === '' || this.#keep(name, this.sequenceId);
  }

  #stranger(cursor: JsonCursor): boolean {
    const name = cursor.text();
    if (name.startsWith('shared_memory')) {
      return cursor.refuse(`parameter ${quoted(name)}: shared memory is not available here; send the values`);
    }
    if (name === 'classification') {
      return cursor.refuse(`parameter ${quoted(name)}: labels are not made here; ask for the scores and rank them`);
    }
    return skipValue(cursor, false) !== -1;
  }

  #binary(cursor: JsonCursor, key: number): boolean {
    const name = TENSOR_NAMES.names[key]!;
    if (key !== BINARY_SIZE) {
      this.binary = flagAt(cursor, name);
      return this.binary !== null;
    }
    const value = wholeNumber(cursor, name);
    if (value === null) return false;
    // Past the exact numbers no body is long enough anyway.
    this.binarySize = Number(value);
    return true;
  }

  #keep(name: string, value: string | number | bigint | boolean): true {
    this.#params ??= new Map();
    this.#params.set(name, value);
    return true;
  }
}

/** Null when the cursor has failed. */
function flagAt(cursor: JsonCursor, name: string): boolean | null {
  cursor.peek();
  if (cursor.literal('true')) return true;
  if (cursor.literal('false')) return false;
  cursor.expected(`true or false for parameter "${name}"`);
  return null;
}

/** A number where it is exact, else a bigint; null when the cursor has failed. */
function wholeNumber(cursor: JsonCursor, name: string): number | bigint | null {
  const byte = cursor.peek();
  if (byte < ZERO || byte > NINE) {
    cursor.expected(`a whole number for parameter "${name}"`);
    return null;
  }
  if (!scanNumber(cursor)) return null;
  const { integral, digits, from, to } = cursor.number;
  if (integral && digits <= SAFE_DIGITS) return cursor.number.mantissa[0]!;
  const value = integral && to - from <= MAX_DIGITS ? BigInt(numberText(cursor)) : -1n;
  if (value >= 0n && value <= MAX_UINT64) return value;
  cursor.refuse(`parameter "${name}" must be a whole number of at most 64 bits`);
  return null;
}
