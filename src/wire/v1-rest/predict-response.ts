import type { Tensor } from '../../core/inference.ts';
import type { TensorSpec } from '../../core/signature.ts';
import { OPEN_OBJECT } from '../json/ascii.ts';
import { JsonCursor, NO_KEY } from '../json/cursor.ts';
import { quoted } from '../json/message-text.ts';
import { NameTable } from '../json/name-table.ts';
import { skipValue } from '../json/skip.ts';
import { readValue } from '../values/value-reader.ts';

const KEYS = new NameTable(['outputs']);
const NO_NAMES = new NameTable([]);
const MAX_DEPTH = 32;

/** Reads answers of `:predict` in columns. A model with one output answers with its bare value, others with an object of them. */
export class PredictResponseReader {
  readonly #cursor = new JsonCursor(MAX_DEPTH);
  readonly #specs: ReadonlyMap<string, TensorSpec>;
  readonly #single: TensorSpec | null;

  constructor(outputs: readonly TensorSpec[]) {
    this.#specs = new Map(outputs.map((spec) => [spec.name, spec]));
    this.#single = outputs.length === 1 ? outputs[0]! : null;
  }

  /** All outputs in the answer, or why it is refused. */
  read(body: Buffer): Tensor[] | string {
    const cursor = this.#cursor;
    const outputs: Tensor[] = [];
    let problem = cursor.start(body) ? this.#answer(cursor, outputs) : '';
    if (!cursor.finish() && problem === '') problem = cursor.fault;
    // The reader outlives the answer: nothing of it may stay behind.
    cursor.stop();
    return problem === '' ? outputs : problem;
  }

  #answer(cursor: JsonCursor, outputs: Tensor[]): string {
    let seen = false;
    if (!cursor.openObject()) return '';
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (key === 0) {
        seen = true;
        const problem = this.#outputs(cursor, outputs);
        if (problem !== '') return problem;
      } else if (skipValue(cursor, true) === -1) return '';
    }
    return seen || cursor.fault !== '' ? '' : '"outputs" is missing';
  }

  #outputs(cursor: JsonCursor, outputs: Tensor[]): string {
    const byte = cursor.peek();
    // An object is a map of outputs, unless it is the base64 form of the one string that there is.
    const bare = this.#single !== null && (byte !== OPEN_OBJECT || isOneString(this.#single));
    if (bare) return this.#value(cursor, this.#single!, outputs);
    if (!cursor.openObject()) return '';
    while (cursor.nextKey(NO_NAMES) !== NO_KEY) {
      const name = cursor.text();
      const spec = this.#specs.get(name);
      if (spec === undefined) return `output ${quoted(name)} does not exist in the signature`;
      const problem = this.#value(cursor, spec, outputs);
      if (problem !== '') return problem;
    }
    return '';
  }

  #value(cursor: JsonCursor, spec: TensorSpec, outputs: Tensor[]): string {
    const tensor = readValue(cursor, spec);
    if (tensor === null) return `output ${quoted(spec.name)}: ${cursor.fault}`;
    outputs.push(tensor);
    return '';
  }
}

const isOneString = (spec: TensorSpec): boolean => spec.datatype === 'BYTES' && spec.shape.length === 0;
