import type { TensorSpec } from '../core/signature.ts';
import { type JsonCursor, STRANGER } from '../wire/json/cursor.ts';
import { quoted } from '../wire/json/message-text.ts';
import { NameTable } from '../wire/json/name-table.ts';

const TABLE_NAMES = 31;

/** The inputs of a model as keys of an object, behind the keys that a protocol keeps for itself. */
export class InputNames {
  readonly specs: readonly TensorSpec[];
  /** Keys below this index are the protocol's own; the input with index `reserved + i` is `specs[i]`. */
  readonly reserved: number;
  readonly #table: NameTable;
  /** Names past those that a table holds. */
  readonly #rest: ReadonlyMap<string, number>;

  constructor(own: readonly string[], specs: readonly TensorSpec[]) {
    this.specs = specs;
    this.reserved = own.length;
    const names = [...own, ...specs.map((spec) => spec.name)];
    this.#table = new NameTable(names.slice(0, TABLE_NAMES));
    this.#rest = new Map(names.slice(TABLE_NAMES).map((name, i) => [name, TABLE_NAMES + i]));
  }

  /** Goes to the value of the next key in the open object: its index, STRANGER, or NO_KEY as the cursor says it. */
  next(cursor: JsonCursor): number {
    const key = cursor.nextKey(this.#table);
    if (key !== STRANGER || this.#rest.size === 0) return key;
    return this.#rest.get(cursor.text()) ?? STRANGER;
  }

  /** Stops the cursor at a key that is no input. Always false. */
  refuseStranger(cursor: JsonCursor): boolean {
    return cursor.refuse(`${quoted(cursor.text())} is no input of the model; there are ${this.listed()}`);
  }

  listed(): string {
    return this.specs.map((spec) => quoted(spec.name)).join(', ');
  }
}
