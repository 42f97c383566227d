/** How many requests the admin port answers: it shares its event loop with the data plane. */
export class AdminRate {
  // Holders of the token on one side, everybody else on the other, so that a flood of strangers does not shut the operator out.
  readonly #holders: Bucket;
  readonly #strangers: Bucket;
  readonly #nowMs: () => number;

  constructor(maxPerSecond: number, nowMs: () => number = () => performance.now()) {
    this.#holders = new Bucket(maxPerSecond);
    this.#strangers = new Bucket(maxPerSecond);
    this.#nowMs = nowMs;
  }

  take(hasToken: boolean): boolean {
    return (hasToken ? this.#holders : this.#strangers).take(this.#nowMs());
  }
}

/** Holds as many tokens as come in a second; full at first. */
class Bucket {
  readonly #perSecond: number;
  #tokens: number;
  #atMs = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  take(nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + refill);
    this.#atMs = Math.max(this.#atMs, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
