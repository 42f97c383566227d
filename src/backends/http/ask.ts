import type { HttpPool } from '../../wire/http/http-pool.ts';
import { type HttpAnswer, HttpEnd, type HttpQuestion, type HttpSink } from '../../wire/http/http-sink.ts';

/** How a question ended. `status` is 0 when there was no answer; `detail` says why. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly detail: string;
  /** Whether the server may have heard the question. */
  readonly sent: boolean;
}

/** Metadata of the largest known models takes some hundred kilobytes. */
const MAX_ANSWER_BYTES = 4_194_304;

/** A GET as a promise, for the few that start-up and probes make. Never rejects. */
export function ask(pool: HttpPool, path: string, headers: string[], timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const question: HttpQuestion = {
      method: 'GET',
      path,
      headers,
      pieces: [],
      timeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      repeatable: true,
    };
    pool.send(question, new Asked(resolve));
  });
}

class Asked implements HttpSink {
  readonly #resolve: (answer: Answer) => void;

  constructor(resolve: (answer: Answer) => void) {
    this.#resolve = resolve;
  }

  onAnswer({ status, body }: HttpAnswer): void {
    this.#resolve({ status, body, detail: '', sent: true });
  }

  onEnd(end: HttpEnd, detail: string, sent: boolean): void {
    const reason = end === HttpEnd.Lost ? `the connection was lost: ${detail}` : detail;
    this.#resolve({ status: 0, body: NOTHING, detail: reason, sent });
  }
}

const NOTHING = Buffer.alloc(0);
