/**
 * The end of a turn of the event loop, when a test says so: what would run then is held back meanwhile. So a case runs from its first byte
 * to its last without the loop, the same each time, and nothing of it is left to the loop.
 */
export class HeldTurns {
  readonly #ticks: (() => void)[] = [];
  #immediates: (() => void)[] = [];

  /** Runs `work` and everything that it has put off. */
  run<T>(work: (turn: () => void) => T): T {
    const { setImmediate, process } = globalThis;
    const { nextTick } = process;
    type Later = (run: (...args: unknown[]) => void, ...args: unknown[]) => unknown;
    const immediate: Later = (run, ...args) => this.#immediates.push(() => run(...args));
    const tick: Later = (run, ...args) => this.#ticks.push(() => run(...args));
    globalThis.setImmediate = immediate as unknown as typeof setImmediate;
    process.nextTick = tick as typeof nextTick;
    try {
      const made = work(() => this.#turn());
      while (this.#ticks.length + this.#immediates.length > 0) this.#turn();
      return made;
    } finally {
      globalThis.setImmediate = setImmediate;
      process.nextTick = nextTick;
      this.#ticks.length = 0;
      this.#immediates.length = 0;
    }
  }

  #turn(): void {
    this.#runTicks();
    const immediates = this.#immediates;
    this.#immediates = [];
    for (const run of immediates) {
      run();
      this.#runTicks();
    }
  }

  #runTicks(): void {
    for (let run = this.#ticks.shift(); run !== undefined; run = this.#ticks.shift()) run();
  }
}
