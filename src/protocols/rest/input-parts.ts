import type { JsonCursor } from '../../wire/json/cursor.ts';
import type { TensorParts } from '../../wire/json/tensor-fields.ts';
import type { BinaryTail } from './binary-tail.ts';
import type { ParameterReader } from './parameters.ts';

/** What an input of a request may have besides its name, shape, datatype and data: a caller's parameters, and bytes behind the JSON. */
export class InputParts implements TensorParts {
  readonly #parameters: ParameterReader;
  readonly #tail: BinaryTail;

  constructor(parameters: ParameterReader, tail: BinaryTail) {
    this.#parameters = parameters;
    this.#tail = tail;
  }

  get binarySize(): number {
    return this.#parameters.binarySize;
  }

  resetTensor(): void {
    this.#parameters.resetTensor();
  }

  readTensor(cursor: JsonCursor): boolean {
    return this.#parameters.readTensor(cursor);
  }

  takeBinary(cursor: JsonCursor, size: number): Uint8Array | null {
    const problem = this.#tail.problem(size);
    if (problem === '') return this.#tail.take(size);
    cursor.refuse(problem);
    return null;
  }
}
