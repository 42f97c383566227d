import type { MarkedCaller } from './marked-callers.ts';
import type { SocketPorts } from './process-sockets.ts';

/** A worker that was killed, with the connections it had. */
export interface Kill {
  readonly pid: number;
  readonly atMs: number;
  readonly sockets: readonly SocketPorts[];
}

/** A try that failed. */
export interface FailedTry {
  readonly mark: number;
  readonly caller: string;
  readonly problem: string;
  readonly cut: boolean;
  readonly port: number;
  /** Who had asked a backend for it by then, as the backend knows. */
  readonly askedBy: readonly string[];
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Tries of one request: one, and those after it that its caller makes because the one before cannot have reached a model. */
const MAX_TRIES = 4;
/** What a worker has sent before its end has been read by then. */
const SETTLED_MS = 250;

export interface MarkedLoadOptions {
  /** Requests, at the least. */
  readonly atLeast: number;
  /** What the backend knows of a request. */
  readonly askedBy: (mark: number) => readonly string[];
  /** Whether the caller of a try that failed asks again. */
  readonly mayRepeat: (failed: FailedTry) => boolean;
}

/** Callers that ask one request after another until there were enough of them and they are told to stop. */
export class MarkedLoad {
  /** Requests begun; each has the number it was begun as. */
  begun = 0;
  answered = 0;
  readonly failed: FailedTry[] = [];
  readonly #o: MarkedLoadOptions;
  readonly #done: Promise<void>;
  #running = true;

  constructor(callers: readonly MarkedCaller[], options: MarkedLoadOptions) {
    this.#o = options;
    this.#done = Promise.all(callers.map((caller) => this.#run(caller))).then(() => undefined);
  }

  /** Resolves when there were enough, and the last has ended. */
  finish(): Promise<void> {
    this.#running = false;
    return this.#done;
  }

  async #run(caller: MarkedCaller): Promise<void> {
    while (this.#running || this.begun < this.#o.atLeast) await this.#request(caller, ++this.begun);
  }

  async #request(caller: MarkedCaller, mark: number): Promise<void> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const beganMs = performance.now();
      const { problem, cut, port } = await caller.ask(mark);
      if (problem === '') {
        this.answered++;
        return;
      }
      const endedMs = performance.now();
      await new Promise((done) => setTimeout(done, SETTLED_MS));
      const askedBy = this.#o.askedBy(mark);
      const failed = { mark, caller: caller.name, problem, cut, port, askedBy, beganMs, endedMs };
      this.failed.push(failed);
      if (!this.#o.mayRepeat(failed)) return;
    }
  }
}
