/** How patient a rollout is, as the model's config says now. */
export interface RolloutPace {
  readonly lookMs: number;
  readonly downMs: number;
  readonly maxWorkerEnds: number;
}

/** Signs of a canary that needs no test: it is not there, or ends the processes that serve it. */
export class CanaryVitals {
  /** -1 while the canary is ready somewhere. */
  #downSinceMs = -1;
  #workerEnds = 0;

  /** Another step has begun. */
  reset(): void {
    this.#downSinceMs = -1;
    this.#workerEnds = 0;
  }

  /** A worker has ended unasked. */
  workerEnded(): void {
    this.#workerEnds++;
  }

  /** Why the canary has to go; empty when it need not. `down` is why no worker has it ready, empty when one has. */
  look(down: string, nowMs: number, { downMs, maxWorkerEnds }: RolloutPace): string {
    if (down === '') this.#downSinceMs = -1;
    else if (this.#downSinceMs < 0) this.#downSinceMs = nowMs;
    if (down !== '' && nowMs - this.#downSinceMs >= downMs) return `the canary has not been ready for ${downMs} ms: ${down}`;
    return this.#workerEnds < maxWorkerEnds ? '' : `${this.#workerEnds} workers have ended at this step`;
  }
}
