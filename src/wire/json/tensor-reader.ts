import { type Datatype, elementBytes } from '../../core/datatype.ts';
import { OPEN_ARRAY } from './ascii.ts';
import type { JsonCursor } from './cursor.ts';
import type { ElementSink } from './element-sink.ts';
import { Float32Sink, Float64Sink } from './float-sinks.ts';
import { BoolSink, LongIntegerSink, ShortIntegerSink } from './integer-sinks.ts';
import { shapeText } from './message-text.ts';
import { passArray, skipValue } from './skip.ts';
import { StringSink } from './string-sink.ts';

/** Datatypes whose elements JSON writes as numbers or booleans. */
export type NumberType = Exclude<Datatype, 'BYTES' | 'FP16' | 'BF16'>;

/**
 * Reads tensor data at the cursor, flat or nested as the shape says, into little-endian bytes. Null when the cursor has failed.
 *
 * What is allocated is bounded by the text and not by the shape: an element takes at least two bytes of JSON (three for a string) and at
 * most eight bytes here, so the data never takes more than four times the JSON that is left.
 */
export function readTensorData(
  cursor: JsonCursor,
  datatype: Datatype,
  shape: readonly number[],
  count: number,
): Uint8Array | null {
  if (datatype === 'FP16' || datatype === 'BF16') {
    cursor.refuse(`${datatype} data has no JSON form: send it as binary data (parameters.binary_data_size) or over gRPC`);
    return null;
  }
  if (cursor.peek() !== OPEN_ARRAY) {
    cursor.expected('an array of values');
    return null;
  }
  const start = cursor.at;
  if (count * 2 > cursor.end - start) return miscounted(cursor, start, shape, count);
  const sink = datatype === 'BYTES' ? stringSink(cursor) : numberSink(datatype, count);
  if (sink === null) return null;
  const reader = new DataReader(cursor, sink, shape, 0);
  if (reader.read(count)) return sink.bytes();
  return cursor.fault === '' ? miscounted(cursor, start, shape, count) : null;
}

/**
 * Reads the value at the cursor, nested as `shape` says, into `sink` from element `from` on. Without dimensions it is a bare value. False
 * on a fault.
 */
export function readElements(cursor: JsonCursor, sink: ElementSink, shape: readonly number[], from: number): boolean {
  return shape.length === 0 ? sink.one(cursor, from) : new DataReader(cursor, sink, shape, from).readNested();
}

/** A sink for `count` elements that JSON writes as numbers or booleans. */
export function numberSink(datatype: NumberType, count: number): ElementSink {
  switch (datatype) {
    case 'FP32':
      return new Float32Sink(count);
    case 'FP64':
      return new Float64Sink(count);
    case 'INT64':
    case 'UINT64':
      return new LongIntegerSink(datatype, count);
    case 'BOOL':
      return new BoolSink(count);
    default:
      return new ShortIntegerSink(datatype, elementBytes(datatype), count);
  }
}

class DataReader {
  readonly #cursor: JsonCursor;
  readonly #sink: ElementSink;
  readonly #shape: readonly number[];
  #taken: number;

  constructor(cursor: JsonCursor, sink: ElementSink, shape: readonly number[], from: number) {
    this.#cursor = cursor;
    this.#sink = sink;
    this.#shape = shape;
    this.#taken = from;
  }

  /** Flat or nested. False with no fault when the values are too few or too many. */
  read(count: number): boolean {
    const cursor = this.#cursor;
    if (!cursor.openArray()) return false;
    if (this.#shape.length > 1 && cursor.peek() === OPEN_ARRAY) return this.#level(0);
    return this.#sink.run(cursor, this.#taken, count) === count;
  }

  readNested(): boolean {
    return this.#cursor.openArray() && this.#level(0);
  }

  /** Reads the rest of the open array, which stands for `dimension`. Rank bounds the recursion. */
  #level(dimension: number): boolean {
    const cursor = this.#cursor;
    const size = this.#shape[dimension]!;
    let found = 0;
    if (dimension === this.#shape.length - 1) {
      found = this.#sink.run(cursor, this.#taken, size);
      if (found === -1) return false;
      this.#taken += found;
    } else {
      while (found <= size && cursor.nextElement()) {
        if (found++ === size) break;
        if (!cursor.openArray() || !this.#level(dimension + 1)) return false;
      }
      if (cursor.fault !== '') return false;
    }
    if (found === size) return true;
    const count = found > size ? `more than ${size}` : `${found}`;
    return cursor.refuse(
      `data does not nest as shape ${shapeText(this.#shape)}: expected ${size} values in dimension ${dimension}, found ${count}`,
    );
  }
}

/** Strings are passed over once to learn how much room they take. */
function stringSink(cursor: JsonCursor): StringSink | null {
  const start = cursor.at;
  if (!passArray(cursor)) return null;
  const size = cursor.at - start;
  cursor.at = start;
  return new StringSink(size);
}

function miscounted(cursor: JsonCursor, start: number, shape: readonly number[], count: number): null {
  cursor.at = start;
  const found = skipValue(cursor, true);
  if (found !== -1) cursor.refuse(`expected ${count} values for shape ${shapeText(shape)}, found ${found}`);
  return null;
}
