/** Waits between tries of a move that fails: each try leaves a line in the audit record, so that one a look would fill it. */
export class RetryWait {
  #move = '';
  #waitMs = 0;
  #untilMs = 0;

  /** Whether `move` has failed a while ago only. Another one waits for nothing: what goes wrong with a step must not delay a rollback. */
  holds(move: string, nowMs: number): boolean {
    return move === this.#move && nowMs < this.#untilMs;
  }

  /** Twice as long as the last time, from one look on. */
  failed(move: string, nowMs: number, lookMs: number): void {
    this.#waitMs = move === this.#move ? Math.min(this.#waitMs * 2, LONGEST_MS) : lookMs;
    this.#move = move;
    this.#untilMs = nowMs + this.#waitMs;
  }

  reset(): void {
    this.#move = '';
  }
}

const LONGEST_MS = 60_000;
