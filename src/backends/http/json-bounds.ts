import { Fault } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import type { Refusal } from './dialect.ts';

/** How much JSON one call may have: it is written and read on the event loop, where everybody waits for it. */
export class JsonBounds {
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Why the inputs are too large to be written as JSON, or null. @hot */
  refuseInputs(request: InferenceRequest): Refusal | null {
    let size = 0;
    for (let i = 0; i < request.inputs.length; i++) size += request.inputs[i]!.data.length;
    if (size <= this.#maxBytes) return null;
    const detail = `The inputs have ${size} bytes; this model's backend takes JSON, and at most ${this.#maxBytes} bytes are turned into it.`;
    return { kind: Fault.BodyTooLarge, detail };
  }

  /** Why so much JSON of an answer is not read, or null. @hot */
  refuseAnswer(jsonBytes: number): Refusal | null {
    if (jsonBytes <= this.#maxBytes) return null;
    const detail = `Its answer has ${jsonBytes} bytes of JSON; maxJsonBytes allows ${this.#maxBytes}.`;
    return { kind: Fault.BackendFailed, detail };
  }
}
