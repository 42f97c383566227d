/** Work that may wait, and takes a bounded time. */
export interface SpareWork {
  /** Never throws. */
  run(): void;
}

export interface SpareTurnsOptions {
  readonly nowUs: () => number;
  /** Calls back in a later turn of the event loop. */
  readonly later: (turn: () => void) => void;
}

/** Of each turn of the event loop: a request that comes meanwhile waits for no more than this and one piece of work. */
const TURN_US = 500;

/** Does work that no caller waits for, a little in each turn of the event loop. Its length is bounded by those who give it work. */
export class SpareTurns {
  readonly #o: SpareTurnsOptions;
  readonly #waiting: SpareWork[] = [];
  #isPosted = false;

  constructor(options: SpareTurnsOptions) {
    this.#o = options;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(work: SpareWork): void {
    this.#waiting.push(work);
    this.#post();
  }

  #post(): void {
    if (this.#isPosted) return;
    this.#isPosted = true;
    this.#o.later(this.#turn);
  }

  readonly #turn = (): void => {
    const beganUs = this.#o.nowUs();
    do {
      const work = this.#waiting.shift();
      if (work === undefined) break;
      work.run();
    } while (this.#o.nowUs() - beganUs < TURN_US);
    this.#isPosted = false;
    if (this.#waiting.length > 0) this.#post();
  };
}
