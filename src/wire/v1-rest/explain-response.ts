import { OPEN_OBJECT } from '../json/ascii.ts';
import { JsonCursor } from '../json/cursor.ts';
import { skipValue } from '../json/skip.ts';

/** As deep as an answer of `:predict` may be. */
const MAX_DEPTH = 32;

/** What TensorFlow Serving answers with 400 to a verb that it does not know. */
const UNKNOWN_VERB = 'Malformed request: POST ';

/** Looks over answers of `:explain`, of which nothing is known but that they are one JSON object. */
export class ExplainResponseReader {
  readonly #cursor = new JsonCursor(MAX_DEPTH);

  /** Why `body` is no explanation; empty when it is one. */
  fault(body: Buffer): string {
    const cursor = this.#cursor;
    let problem = '';
    if (cursor.start(body)) {
      if (cursor.peek() !== OPEN_OBJECT) cursor.expected('an object');
      else skipValue(cursor, false);
    }
    if (!cursor.finish()) problem = `its explanation: ${cursor.fault}`;
    // The reader outlives the answer: nothing of it may stay behind.
    cursor.stop();
    return problem;
  }
}

/** Whether a server that answered `:explain` with `status` and these words has no such verb, rather than something against the request. */
export function hasNoExplain(status: number, words: string): boolean {
  return status === 404 || status === 405 || status === 501 || (status === 400 && words.startsWith(UNKNOWN_VERB));
}
