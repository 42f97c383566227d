import type { FaultKind } from '../../core/faults.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import { QUOTE } from '../../wire/json/ascii.ts';
import { JsonCursor, NO_KEY } from '../../wire/json/cursor.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { ParameterReader } from './parameters.ts';
import { TensorDraft } from './tensor-draft.ts';

const KEYS = new NameTable(['id', 'parameters', 'inputs', 'outputs']);
const ID = 0;
const PARAMETERS = 1;
const INPUTS = 2;
const OUTPUTS = 3;
const OUTPUT_KEYS = new NameTable(['name', 'parameters']);
const OUTPUT_NAME = 0;
const OUTPUT_PARAMETERS = 1;

const MAX_ID_BYTES = 1_024;
const MAX_NAME_BYTES = 1_024;
const ALL: readonly string[] = [];

/** Reads the body of an infer request. One serves a whole process, since reading never waits. */
export class InferReader {
  /** Why the last body was refused. */
  detail = '';
  readonly #maxTensors: number;
  readonly #cursor: JsonCursor;
  readonly #parameters = new ParameterReader();
  readonly #draft = new TensorDraft(this.#parameters);
  #id = '';
  #inputs: Tensor[] | null = null;
  #wanted: string[] | null = null;
  /** What is being read, for messages. */
  #place = '';

  constructor(maxJsonDepth: number, maxTensors: number) {
    this.#maxTensors = maxTensors;
    this.#cursor = new JsonCursor(maxJsonDepth);
  }

  /** Why the last body was refused, as a row of the catalogue. */
  get kind(): FaultKind {
    return this.#parameters.kind;
  }

  /** The request in `body` for the model and version of the path; null with `kind` and `detail` when it is refused. */
  read(body: Uint8Array, model: string, version: string): InferenceRequest | null {
    const cursor = this.#cursor;
    this.#parameters.reset();
    this.#id = '';
    this.#inputs = null;
    this.#wanted = null;
    this.#place = '';
    const whole = cursor.start(body) && this.#body(cursor) && cursor.finish();
    if (!whole) this.detail = this.#place === '' ? cursor.fault : `${this.#place}: ${cursor.fault}`;
    const inputs = this.#inputs;
    // The reader outlives the request: nothing of it may stay behind.
    cursor.stop();
    this.#draft.forget();
    this.#inputs = null;
    if (!whole) return null;
    return {
      model,
      version,
      id: this.#id,
      params: this.#parameters.params,
      inputs: inputs!,
      wanted: this.#wanted ?? ALL,
      timeoutUs: this.#parameters.timeoutUs,
      sequenceId: this.#parameters.sequenceId,
    };
  }

  #body(cursor: JsonCursor): boolean {
    if (!cursor.openObject()) return false;
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (!this.#field(cursor, key)) return false;
      this.#place = '';
    }
    return cursor.fault === '' && (this.#inputs !== null || cursor.refuse('"inputs" is missing'));
  }

  #field(cursor: JsonCursor, key: number): boolean {
    switch (key) {
      case ID:
        this.#place = '"id"';
        return this.#readId(cursor);
      case PARAMETERS:
        this.#place = '"parameters"';
        return this.#parameters.readRequest(cursor);
      case INPUTS:
        this.#place = '"inputs"';
        return this.#readInputs(cursor);
      case OUTPUTS:
        this.#place = '"outputs"';
        return this.#readOutputs(cursor);
      default:
        return skipValue(cursor, false) !== -1;
    }
  }

  #readId(cursor: JsonCursor): boolean {
    if (cursor.peek() !== QUOTE) return cursor.expected('a string');
    if (!cursor.scanString()) return false;
    if (cursor.stringTo - cursor.stringFrom > MAX_ID_BYTES) return cursor.refuse(`longer than ${MAX_ID_BYTES} bytes`);
    this.#id = cursor.text();
    return true;
  }

  #readInputs(cursor: JsonCursor): boolean {
    if (!cursor.openArray()) return false;
    const inputs: Tensor[] = [];
    while (cursor.nextElement()) {
      if (inputs.length === this.#maxTensors) return cursor.refuse(`more than ${this.#maxTensors} tensors`);
      const tensor = this.#draft.read(cursor);
      if (tensor === null) {
        this.#place = this.#draft.label(inputs.length);
        return false;
      }
      inputs.push(tensor);
    }
    this.#inputs = inputs;
    return cursor.fault === '';
  }

  #readOutputs(cursor: JsonCursor): boolean {
    if (!cursor.openArray()) return false;
    const wanted: string[] = [];
    while (cursor.nextElement()) {
      if (wanted.length === this.#maxTensors) return cursor.refuse(`more than ${this.#maxTensors} tensors`);
      const name = this.#readOutput(cursor);
      if (name === '') {
        this.#place = `outputs[${wanted.length}]`;
        return false;
      }
      wanted.push(name);
    }
    this.#wanted = wanted;
    return cursor.fault === '';
  }

  /** The name of the output at the cursor, or empty when the cursor has failed. */
  #readOutput(cursor: JsonCursor): string {
    let name = '';
    if (!cursor.openObject()) return '';
    for (;;) {
      const key = cursor.nextKey(OUTPUT_KEYS);
      if (key === NO_KEY) break;
      if (key === OUTPUT_PARAMETERS) {
        if (!this.#parameters.readTensor(cursor)) return '';
      } else if (key === OUTPUT_NAME) {
        if (cursor.peek() !== QUOTE) cursor.expected('a string for "name"');
        else if (cursor.scanString() && cursor.stringTo - cursor.stringFrom <= MAX_NAME_BYTES) name = cursor.text();
        else cursor.refuse(`"name" is longer than ${MAX_NAME_BYTES} bytes`);
      } else if (skipValue(cursor, false) === -1) return '';
    }
    if (name === '') cursor.refuse('"name" is missing or empty');
    return cursor.fault === '' ? name : '';
  }
}
