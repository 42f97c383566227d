import type { Tensor } from '../../core/inference.ts';
import { JsonCursor, NO_KEY } from '../json/cursor.ts';
import { NameTable } from '../json/name-table.ts';
import { skipValue } from '../json/skip.ts';
import { OutputReader } from './output-reader.ts';

const KEYS = new NameTable(['outputs']);
const MAX_DEPTH = 32;
/** Outputs of one answer; models have a few. */
const MAX_OUTPUTS = 1_024;
const NOTHING = Buffer.alloc(0);
const DIGITS = /^\d{1,10}$/;

/** Reads the answers of `POST …/infer`. One serves many calls, since reading never waits. */
export class InferResponseReader {
  readonly #cursor = new JsonCursor(MAX_DEPTH);
  readonly #output = new OutputReader();

  /**
   * The outputs, or why the answer is refused. `jsonBytes` is what `jsonLength` says of it. Binary outputs are views on `body`. Of what else
   * the answer holds nothing is kept.
   */
  read(body: Buffer, jsonBytes: number): Tensor[] | string {
    const cursor = this.#cursor;
    this.#output.start(jsonBytes === body.length ? NOTHING : body.subarray(jsonBytes));
    const outputs: Tensor[] = [];
    let problem = '';
    if (cursor.start(body.subarray(0, jsonBytes))) problem = this.#answer(cursor, outputs);
    if (cursor.finish() && this.#output.left > 0) problem = `${this.#output.left} bytes behind the JSON belong to no output`;
    if (problem === '') problem = cursor.fault;
    // The reader outlives the answer: nothing of it may stay behind.
    cursor.stop();
    this.#output.stop();
    return problem === '' ? outputs : problem;
  }

  #answer(cursor: JsonCursor, outputs: Tensor[]): string {
    let seen = false;
    if (!cursor.openObject()) return '';
    for (;;) {
      const key = cursor.nextKey(KEYS);
      if (key === NO_KEY) break;
      if (key !== 0) {
        if (skipValue(cursor, false) === -1) return '';
        continue;
      }
      seen = true;
      const problem = this.#outputs(cursor, outputs);
      if (problem !== '' || cursor.fault !== '') return problem;
    }
    return seen || cursor.fault !== '' ? '' : '"outputs" is missing';
  }

  /** Why an output is refused, with its name. */
  #outputs(cursor: JsonCursor, outputs: Tensor[]): string {
    if (!cursor.openArray()) return '';
    while (cursor.nextElement()) {
      if (outputs.length === MAX_OUTPUTS) return `there are more than ${MAX_OUTPUTS} outputs`;
      const tensor = this.#output.read(cursor);
      if (tensor === null) return `${this.#output.label(outputs.length)}: ${cursor.fault}`;
      outputs.push(tensor);
    }
    return '';
  }
}

/** Bytes of JSON at the beginning of a body, by the Inference-Header-Content-Length field beside it; -1 when the field is wrong. */
export function jsonLength(field: string, bodyBytes: number): number {
  if (field === '') return bodyBytes;
  const length = DIGITS.test(field) ? Number(field) : 0;
  return length > 0 && length <= bodyBytes ? length : -1;
}
