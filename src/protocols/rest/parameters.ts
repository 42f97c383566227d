import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Params } from '../../core/inference.ts';
import { LOWER_F, NINE, QUOTE, ZERO } from '../../wire/json/ascii.ts';
import { type JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { numberText, scanNumber } from '../../wire/json/number-token.ts';
import { skipValue } from '../../wire/json/skip.ts';

const NONE: Params = new Map();
const NAMES = new NameTable(['sequence_id', 'sequence_start', 'sequence_end', 'priority', 'timeout']);
const SEQUENCE_ID = 0;
const PRIORITY = 3;
const TIMEOUT = 4;

const MAX_SEQUENCE_BYTES = 256;
const SAFE_DIGITS = 15;
const MAX_DIGITS = 20; // of 2^64 - 1
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * The `parameters` of a request, an input or an output. Only those of the allow-list of the whole request are kept; the rest is dropped,
 * except what would make the gateway misread the tensors or a backend read memory that is not the caller's.
 */
export class ParameterReader {
  /** More telling than "malformed" for what is well formed but not served. */
  kind: FaultKind = Fault.Malformed;
  timeoutUs = 0;
  sequenceId = '';
  #params: Map<string, string | number | bigint | boolean> | null = null;

  reset(): void {
    this.kind = Fault.Malformed;
    this.timeoutUs = 0;
    this.sequenceId = '';
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

  /** Reads the parameters of one input or output, of which none is kept. */
  readTensor(cursor: JsonCursor): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(NAMES);
      if (key === NO_KEY) return cursor.fault === '';
      if (!(key === STRANGER ? this.#stranger(cursor) : skipValue(cursor, false) !== -1)) return false;
    }
  }

  #known(cursor: JsonCursor, key: number): boolean {
    const name = NAMES.names[key]!;
    if (key === SEQUENCE_ID) return this.#sequenceId(cursor, name);
    if (key !== PRIORITY && key !== TIMEOUT) return this.#flag(cursor, name);
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

  #flag(cursor: JsonCursor, name: string): boolean {
    cursor.peek();
    if (cursor.literal('true')) return this.#keep(name, true);
    if (cursor.literal('false')) return this.#keep(name, false);
    return cursor.expected(`true or false for parameter "${name}"`);
  }

  #stranger(cursor: JsonCursor): boolean {
    const name = cursor.text();
    if (name.startsWith('binary_data')) return this.#binary(cursor, name);
    if (name.startsWith('shared_memory')) {
      return cursor.refuse(`parameter ${quoted(name)}: shared memory is not available here; send the values`);
    }
    return skipValue(cursor, false) !== -1;
  }

  #binary(cursor: JsonCursor, name: string): boolean {
    // `false` asks for what is done anyway.
    if (cursor.peek() === LOWER_F && name !== 'binary_data_size' && cursor.literal('false')) return true;
    this.kind = Fault.NotSupported;
    return cursor.refuse(`parameter ${quoted(name)}: binary tensors are not supported yet; send and ask for JSON, or use gRPC`);
  }

  #keep(name: string, value: string | number | bigint | boolean): true {
    this.#params ??= new Map();
    this.#params.set(name, value);
    return true;
  }
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
