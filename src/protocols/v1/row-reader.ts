import type { Tensor } from '../../core/inference.ts';
import type { TensorSpec } from '../../core/signature.ts';
import { type JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import type { ElementSink } from '../../wire/json/element-sink.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { passValue } from '../../wire/json/skip.ts';
import { readElements } from '../../wire/json/tensor-reader.ts';
import { nestedShape } from '../../wire/values/nested-shape.ts';
import { sinkOf } from '../../wire/values/value-reader.ts';
import type { InputNames } from '../input-names.ts';

/** One input, gathered from all rows. */
interface Column {
  readonly spec: TensorSpec;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly sink: ElementSink;
  readonly each: number;
}

/**
 * Reads `[{"a": 1, "b": [2, 3]}, …]`: a row an object, each with the same inputs in the same shapes. The first row says which and how
 * large they are; the rest is counted first, so that every input gets its bytes at once.
 */
export class RowReader {
  readonly #names: InputNames;
  readonly #columns: (Column | null)[];
  /** The inputs of the first row, in its order. */
  readonly #order: Column[] = [];
  /** Where the cursor is, for messages. */
  place = '';

  constructor(names: InputNames) {
    this.#names = names;
    this.#columns = new Array<Column | null>(names.specs.length).fill(null);
  }

  /** The array at the cursor as tensors, or null when the cursor has failed. */
  read(cursor: JsonCursor): Tensor[] | null {
    const { at, depth } = cursor;
    const rows = countRows(cursor);
    if (rows === -1) return null;
    cursor.rewind(at, depth);
    if (!cursor.openArray()) return null;
    let row = 0;
    for (; cursor.nextElement(); row++) {
      if ((row === 0 && !this.#measure(cursor, rows)) || !this.#row(cursor, row)) {
        this.place = `instances[${row}]`;
        return null;
      }
    }
    return cursor.fault === '' ? this.#order.map((column) => tensorOf(column, rows)) : null;
  }

  /** Learns from the first row what each row holds, and goes back to its beginning. */
  #measure(cursor: JsonCursor, rows: number): boolean {
    cursor.peek();
    const { at, depth } = cursor;
    let elements = 0;
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = this.#names.next(cursor);
      if (key === NO_KEY) break;
      if (key === STRANGER) return this.#names.refuseStranger(cursor);
      const spec = this.#names.specs[key]!;
      const shape = nestedShape(cursor);
      const sink = shape === null ? null : sinkOf(cursor, spec.datatype, shape, rows);
      if (shape === null || sink === null || !passValue(cursor)) return false;
      const column = { spec, shape, sink, each: shape.reduce((product, size) => product * size, 1) };
      this.#columns[key] = column;
      this.#order.push(column);
      elements += column.each * rows;
      // Each input may fit what is left of the body, and all together still be far more. A value takes two bytes of JSON at least.
      if (elements * 2 > cursor.end - at)
        return cursor.refuse('the other rows are smaller than this one, expected the same shapes in each');
    }
    if (cursor.fault !== '') return false;
    cursor.rewind(at, depth);
    return true;
  }

  #row(cursor: JsonCursor, row: number): boolean {
    if (!cursor.openObject()) return false;
    let seen = 0;
    for (;;) {
      const key = this.#names.next(cursor);
      if (key === NO_KEY) break;
      if (key === STRANGER) return this.#names.refuseStranger(cursor);
      const column = this.#columns[key]!;
      if (column === null) return cursor.refuse(`input ${quoted(this.#names.specs[key]!.name)} is missing in the first row`);
      if (!readElements(cursor, column.sink, column.shape, row * column.each)) return false;
      seen++;
    }
    if (cursor.fault !== '' || seen === this.#order.length) return cursor.fault === '';
    return cursor.refuse(`found ${seen} inputs, expected ${this.#order.length} as in the first row`);
  }
}

function countRows(cursor: JsonCursor): number {
  let rows = 0;
  if (!cursor.openArray()) return -1;
  for (; cursor.nextElement(); rows++) {
    if (!passValue(cursor)) return -1;
  }
  return cursor.fault === '' ? rows : -1;
}

function tensorOf({ spec, shape, sink }: Column, rows: number): Tensor {
  return { name: spec.name, datatype: spec.datatype, shape: [rows, ...shape], data: sink.bytes() };
}
