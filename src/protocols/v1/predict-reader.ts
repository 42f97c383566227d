import type { InferenceRequest, Params, Task, Tensor } from '../../core/inference.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { OPEN_OBJECT, QUOTE } from '../../wire/json/ascii.ts';
import { JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { BASE64_KEY } from '../../wire/values/byte-value-sink.ts';
import { readValue } from '../../wire/values/value-reader.ts';
import { InputNames } from '../input-names.ts';
import { RowReader } from './row-reader.ts';

const KEYS = new NameTable(['instances', 'inputs', 'signature_name']);
const INSTANCES = 0;
const INPUTS = 1;
const SIGNATURE_NAME = 2;

const ONLY_SIGNATURE = 'serving_default';
const NO_PARAMS: Params = new Map();
const ALL: readonly string[] = [];

/** How a body was written, and so how its answer is: row by row, or input by input. */
export type PredictForm = 'instances' | 'inputs';

/** Reads the body of `:predict` and `:explain`. One serves a whole process, since reading never waits. */
export class PredictReader {
  /** Why the last body was refused. */
  detail = '';
  /** Of the last body that was not. */
  form: PredictForm = 'instances';
  readonly #cursor: JsonCursor;
  /** Signatures live as long as their routes. */
  readonly #names = new WeakMap<Signature, InputNames>();
  #tensors: Tensor[] | null = null;
  /** What is being read, for messages. */
  #place = '';

  constructor(maxJsonDepth: number) {
    this.#cursor = new JsonCursor(maxJsonDepth);
  }

  /** The request in `body` for a model with `signature`; null with `detail` when it is refused. */
  read(
    body: Uint8Array,
    asked: { readonly model: string; readonly version: string },
    signature: Signature,
    task: Task,
  ): InferenceRequest | null {
    const cursor = this.#cursor;
    this.#tensors = null;
    this.#place = '';
    const whole = cursor.start(body) && this.#body(cursor, this.#namesOf(signature)) && cursor.finish();
    if (!whole) this.detail = this.#place === '' ? cursor.fault : `${this.#place}: ${cursor.fault}`;
    const tensors = this.#tensors;
    // The reader outlives the request: nothing of it may stay behind.
    cursor.stop();
    this.#tensors = null;
    if (!whole) return null;
    return {
      task,
      model: asked.model,
      version: asked.version,
      id: '',
      params: NO_PARAMS,
      inputs: tensors!,
      wanted: ALL,
      timeoutUs: 0,
      sequenceId: '',
    };
  }

  #namesOf(signature: Signature): InputNames {
    let names = this.#names.get(signature);
    if (names === undefined) {
      names = new InputNames([], signature.inputs);
      this.#names.set(signature, names);
    }
    return names;
  }

  #body(cursor: JsonCursor, names: InputNames): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (!this.#field(cursor, key, names)) return false;
      this.#place = '';
    }
    return cursor.fault === '' && (this.#tensors !== null || cursor.refuse('expected "instances" or "inputs"'));
  }

  #field(cursor: JsonCursor, key: number, names: InputNames): boolean {
    // Other servers ignore keys that they do not know, and clients send some.
    if (key === STRANGER) return skipValue(cursor, false) !== -1;
    if (key === SIGNATURE_NAME) {
      this.#place = '"signature_name"';
      return readSignatureName(cursor);
    }
    if (this.#tensors !== null) return cursor.refuse('found both "instances" and "inputs", expected one of them');
    this.#place = key === INSTANCES ? '"instances"' : '"inputs"';
    this.form = key === INSTANCES ? 'instances' : 'inputs';
    this.#tensors = key === INPUTS ? this.#columns(cursor, names) : this.#rows(cursor, names);
    return this.#tensors !== null;
  }

  #rows(cursor: JsonCursor, names: InputNames): Tensor[] | null {
    const form = formOfRows(cursor);
    if (form === 'failed') return null;
    if (form === 'values') return this.#value(cursor, names);
    const reader = new RowReader(names);
    const tensors = reader.read(cursor);
    if (reader.place !== '') this.#place = reader.place;
    return tensors;
  }

  #columns(cursor: JsonCursor, names: InputNames): Tensor[] | null {
    if (!isNamed(cursor)) return cursor.fault === '' ? this.#value(cursor, names) : null;
    const tensors: Tensor[] = [];
    if (!cursor.openObject()) return null;
    for (;;) {
      const key = names.next(cursor);
      if (key === NO_KEY) return cursor.fault === '' ? tensors : null;
      if (key === STRANGER) {
        names.refuseStranger(cursor);
        return null;
      }
      this.#place = `input ${quoted(names.specs[key]!.name)}`;
      const tensor = readValue(cursor, names.specs[key]!);
      if (tensor === null) return null;
      tensors.push(tensor);
    }
  }

  /** A value without a name is the only input of its model. */
  #value(cursor: JsonCursor, names: InputNames): Tensor[] | null {
    if (names.specs.length !== 1) {
      cursor.refuse(`found values without names, expected an object with the inputs ${names.listed()}`);
      return null;
    }
    const only: TensorSpec = names.specs[0]!;
    this.#place = `input ${quoted(only.name)}`;
    const tensor = readValue(cursor, only);
    return tensor === null ? null : [tensor];
  }
}

function readSignatureName(cursor: JsonCursor): boolean {
  if (cursor.peek() !== QUOTE) return cursor.expected('a string');
  if (!cursor.scanString()) return false;
  const name = cursor.text();
  return name === ONLY_SIGNATURE || name === '' || cursor.refuse(`found ${quoted(name)}, there is "${ONLY_SIGNATURE}" alone`);
}

/** Whether the array at the cursor holds objects of named inputs, by its first element. Leaves the cursor where it is. */
function formOfRows(cursor: JsonCursor): 'rows' | 'values' | 'failed' {
  cursor.peek();
  const { at, depth } = cursor;
  if (!cursor.openArray()) return 'failed';
  if (!cursor.nextElement()) {
    cursor.refuse('found no instance, expected at least one');
    return 'failed';
  }
  const named = isNamed(cursor);
  if (cursor.fault !== '') return 'failed';
  cursor.rewind(at, depth);
  return named ? 'rows' : 'values';
}

/** Whether an object of named inputs stands at the cursor; `{"b64": …}` is a value. Leaves the cursor where it is. */
function isNamed(cursor: JsonCursor): boolean {
  if (cursor.peek() !== OPEN_OBJECT) return false;
  const { at, depth } = cursor;
  if (!cursor.openObject()) return false;
  const key = cursor.nextKey(BASE64_KEY);
  if (cursor.fault !== '') return false;
  cursor.rewind(at, depth);
  return key === STRANGER || key === NO_KEY;
}
