import type { SupervisionConfig } from '../../config/process-schema.ts';

/** How long to wait before a worker is replaced: doubling, so that one that cannot live costs next to nothing. */
export class RestartDelay {
  readonly #config: SupervisionConfig;
  #nextMs: number;

  constructor(config: SupervisionConfig) {
    this.#config = config;
    this.#nextMs = config.firstRestartDelayMs;
  }

  /** `livedMs` is how long the one that has just ended had served; 0 when it never did. */
  after(livedMs: number): number {
    const { firstRestartDelayMs, longestRestartDelayMs, healthyAfterMs } = this.#config;
    if (livedMs >= healthyAfterMs) this.#nextMs = firstRestartDelayMs;
    const delayMs = Math.min(this.#nextMs, longestRestartDelayMs);
    this.#nextMs = delayMs * 2;
    return delayMs;
  }
}
