/** gRPC's pauses between tries to connect, with the bounds of this gateway. */
const FIRST_MS = 100;
const LONGEST_MS = 2_000;
const GROWTH = 1.6;
/** Clients that lost the same server must not all come back at the same moment. */
const JITTER = 0.2;

export class Backoff {
  readonly #random: () => number;
  #pauseMs = FIRST_MS;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait now. Each time it is longer. */
  next(): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * GROWTH, LONGEST_MS);
    return Math.round(pauseMs * (1 + JITTER * (2 * this.#random() - 1)));
  }

  reset(): void {
    this.#pauseMs = FIRST_MS;
  }
}
