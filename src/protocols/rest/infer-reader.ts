import { type AnswerForm, BINARY_ANSWER, JSON_ANSWER } from '../../core/answer-form.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import { QUOTE } from '../../wire/json/ascii.ts';
import { JsonCursor, NO_KEY } from '../../wire/json/cursor.ts';
import { NameTable } from '../../wire/json/name-table.ts';
import { skipValue } from '../../wire/json/skip.ts';
import { TensorFields } from '../../wire/json/tensor-fields.ts';
import { BinaryTail } from './binary-tail.ts';
import { InputParts } from './input-parts.ts';
import { ParameterReader } from './parameters.ts';

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
  readonly #tail = new BinaryTail();
  readonly #draft = new TensorFields('input', new InputParts(this.#parameters, this.#tail));
  #id = '';
  #inputs: Tensor[] | null = null;
  #wanted: string[] | null = null;
  /** Outputs by their wish: to be binary, and not to be. */
  #binary: string[] = [];
  #plain: string[] = [];
  /** What is being read, for messages. */
  #place = '';

  constructor(maxJsonDepth: number, maxTensors: number) {
    this.#maxTensors = maxTensors;
    this.#cursor = new JsonCursor(maxJsonDepth);
  }

  /** How the request that was read last wants its outputs. */
  get form(): AnswerForm {
    const binary = this.#parameters.binaryOutput;
    const others = binary ? this.#plain : this.#binary;
    if (others.length === 0) return binary ? BINARY_ANSWER : JSON_ANSWER;
    return { binary, others };
  }

  /**
   * The request in `json` for the model and version of the path; null with `detail` when it is refused. `tail` is what follows the JSON,
   * or null where all of the body is JSON; tensors are views on it.
   */
  read(json: Uint8Array, tail: Uint8Array | null, model: string, version: string): InferenceRequest | null {
    const cursor = this.#cursor;
    this.#begin(tail);
    const whole = cursor.start(json) && this.#body(cursor) && cursor.finish() && this.#tailIsTaken(cursor);
    if (!whole) this.detail = this.#place === '' ? cursor.fault : `${this.#place}: ${cursor.fault}`;
    const inputs = this.#inputs;
    // The reader outlives the request: nothing of it may stay behind.
    cursor.stop();
    this.#draft.forget();
    this.#tail.stop();
    this.#inputs = null;
    if (!whole) return null;
    return {
      task: 'predict',
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

  #begin(tail: Uint8Array | null): void {
    this.#parameters.reset();
    this.#tail.start(tail);
    this.#id = '';
    this.#inputs = null;
    this.#wanted = null;
    this.#place = '';
    // Not emptied: a form that was handed out holds one of them.
    if (this.#binary.length > 0) this.#binary = [];
    if (this.#plain.length > 0) this.#plain = [];
  }

  /** What nobody takes was meant for somebody: the client and this gateway would disagree about the bytes of the inputs. */
  #tailIsTaken(cursor: JsonCursor): boolean {
    const { left } = this.#tail;
    return left === 0 || cursor.refuse(`${left} bytes follow the JSON that no input has a "binary_data_size" for`);
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
      if (this.#parameters.binary === true) this.#binary.push(name);
      else if (this.#parameters.binary === false) this.#plain.push(name);
    }
    this.#wanted = wanted;
    return cursor.fault === '';
  }

  /** The name of the output at the cursor, or empty when the cursor has failed. */
  #readOutput(cursor: JsonCursor): string {
    let name = '';
    this.#parameters.resetTensor();
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
