/** What an endpoint's probes have come to: healthy until enough of them have failed in a row, and again after enough have not. */
export class ProbeRecord {
  readonly #unhealthyAfter: number;
  readonly #healthyAfter: number;
  healthy = true;
  /** The last probe was good, or there was none. */
  lastGood = true;
  #inRow = 0;

  constructor(unhealthyAfter: number, healthyAfter: number) {
    this.#unhealthyAfter = unhealthyAfter;
    this.#healthyAfter = healthyAfter;
  }

  /** One more good probe would make an unhealthy endpoint healthy. */
  get almostHealthy(): boolean {
    return !this.healthy && (this.lastGood ? this.#inRow : 0) + 1 >= this.#healthyAfter;
  }

  /** True when this makes it healthy or unhealthy. */
  note(isGood: boolean): boolean {
    this.#inRow = isGood === this.lastGood ? this.#inRow + 1 : 1;
    this.lastGood = isGood;
    if (this.healthy === isGood || this.#inRow < (isGood ? this.#healthyAfter : this.#unhealthyAfter)) return false;
    this.healthy = isGood;
    return true;
  }
}
