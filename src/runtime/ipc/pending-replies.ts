/** Questions that wait for their answers: each is settled exactly once, by its answer, its time or the end of who was asked. */
export class PendingReplies {
  readonly #max: number;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ended = '';

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** `send` is called with the id under which the answer has to come. Rejects at once past the bound, and after the end. */
  ask(timeoutMs: number, send: (id: number) => void): Promise<unknown> {
    if (this.#ended !== '') return Promise.reject(new Error(this.#ended));
    if (this.#waiting.size >= this.#max) return Promise.reject(new Error(`${this.#max} questions wait already, the limit`));
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.#take(id)?.reject(new SilenceError(timeoutMs)), timeoutMs);
    this.#waiting.set(id, { resolve, reject, timer });
    send(id);
    return promise;
  }

  /** An answer that comes too late, or twice, is dropped. */
  answer(id: number, value: unknown): void {
    this.#take(id)?.resolve(value);
  }

  refuse(id: number, problem: string): void {
    this.#take(id)?.reject(new Error(problem));
  }

  /** Nobody is there to answer any more. */
  end(reason: string): void {
    this.#ended = reason;
    for (const id of [...this.#waiting.keys()]) this.refuse(id, reason);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** No answer in time: whoever was asked may hang. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}
