import { elementCount } from '../../core/datatype.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { QUOTE } from '../../wire/json/ascii.ts';
import { JsonCursor, NO_KEY, STRANGER } from '../../wire/json/cursor.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { readValue } from '../../wire/values/value-reader.ts';
import { InputNames } from '../input-names.ts';
import { ParameterReader } from '../rest/parameters.ts';

const OWN_KEYS = ['id', 'parameters'] as const;
const ID = 0;
const PARAMETERS = 1;

const MAX_ID_BYTES = 1_024;
const ALL: readonly string[] = [];

/** Reads the body of `generate`: one flat object whose keys are the inputs of the model. One serves a whole process. */
export class GenerateReader {
  /** Why the last body was refused. */
  detail = '';
  readonly #cursor: JsonCursor;
  readonly #parameters = new ParameterReader();
  /** Signatures live as long as their routes. */
  readonly #names = new WeakMap<Signature, InputNames>();
  #id = '';
  #tensors: Tensor[] = [];
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
  ): InferenceRequest | null {
    const cursor = this.#cursor;
    this.#parameters.reset();
    this.#id = '';
    this.#tensors = [];
    this.#place = '';
    const whole = cursor.start(body) && this.#body(cursor, this.#namesOf(signature)) && cursor.finish();
    if (!whole) this.detail = this.#place === '' ? cursor.fault : `${this.#place}: ${cursor.fault}`;
    const inputs = this.#tensors;
    // The reader outlives the request: nothing of it may stay behind.
    cursor.stop();
    this.#tensors = [];
    if (!whole) return null;
    return {
      task: 'predict',
      model: asked.model,
      version: asked.version,
      id: this.#id,
      params: this.#parameters.params,
      inputs,
      wanted: ALL,
      timeoutUs: this.#parameters.timeoutUs,
      sequenceId: this.#parameters.sequenceId,
    };
  }

  #namesOf(signature: Signature): InputNames {
    let names = this.#names.get(signature);
    if (names === undefined) {
      names = new InputNames(OWN_KEYS, signature.inputs);
      this.#names.set(signature, names);
    }
    return names;
  }

  #body(cursor: JsonCursor, names: InputNames): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = names.next(cursor);
      if (key === NO_KEY) return cursor.fault === '';
      if (key === STRANGER) return names.refuseStranger(cursor);
      if (!this.#field(cursor, key, names)) return false;
      this.#place = '';
    }
  }

  #field(cursor: JsonCursor, key: number, names: InputNames): boolean {
    if (key === ID) {
      this.#place = '"id"';
      return this.#readId(cursor);
    }
    if (key !== PARAMETERS) return this.#input(cursor, names.specs[key - names.reserved]!);
    this.#place = '"parameters"';
    return this.#readParameters(cursor, names);
  }

  #readId(cursor: JsonCursor): boolean {
    if (cursor.peek() !== QUOTE) return cursor.expected('a string');
    if (!cursor.scanString()) return false;
    if (cursor.stringTo - cursor.stringFrom > MAX_ID_BYTES) return cursor.refuse(`longer than ${MAX_ID_BYTES} bytes`);
    this.#id = cursor.text();
    return true;
  }

  /** Clients put inputs among the parameters as well, so the object is read twice: as any request's, and for the inputs in it. */
  #readParameters(cursor: JsonCursor, names: InputNames): boolean {
    cursor.peek();
    const { at, depth } = cursor;
    if (!this.#parameters.readRequest(cursor)) return false;
    cursor.rewind(at, depth);
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = names.next(cursor);
      if (key === NO_KEY) return cursor.fault === '';
      const isInput = key >= names.reserved;
      if (isInput ? !this.#input(cursor, names.specs[key - names.reserved]!) : skipValue(cursor, false) === -1) return false;
    }
  }

  #input(cursor: JsonCursor, spec: TensorSpec): boolean {
    this.#place = `input ${quoted(spec.name)}`;
    const tensor = readValue(cursor, spec);
    if (tensor === null) return false;
    this.#tensors.push({ ...tensor, shape: raised(tensor.shape, spec.shape) });
    return true;
  }
}

/**
 * The shape that a value has in the model. A caller writes one text where the model takes rows of one text: dimensions of size one are put
 * in front. A flat list with as many values as one row has takes the shape of that row.
 */
function raised(shape: readonly number[], spec: readonly number[]): readonly number[] {
  if (shape.length >= spec.length) return shape;
  const padded = [...new Array<number>(spec.length - shape.length).fill(1), ...shape];
  if (shape.length !== 1 || fits(padded, spec)) return padded;
  const rest = spec.map((size, dimension) => (dimension === 0 && size === -1 ? 1 : size));
  return elementCount(rest) === shape[0] ? rest : padded;
}

const fits = (shape: readonly number[], spec: readonly number[]): boolean =>
  spec.every((size, dimension) => size === -1 || size === shape[dimension]);
