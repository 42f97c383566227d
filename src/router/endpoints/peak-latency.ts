/** Time in which what is known of an endpoint's latency wears off to a third. */
const WEAR_MS = 10_000;

/**
 * What an endpoint's answers cost in time, for comparing endpoints. After the idea of a "peak" moving average in Twitter's Finagle: a slow
 * answer counts in full at once, quick ones bring the figure down bit by bit, and time alone brings it down as well, so that an endpoint
 * nobody asks any more is asked again some day. Never below zero, and never above the slowest answer there was.
 */
export class PeakLatency {
  #valueUs = 0;
  #stampMs = 0;

  /** Microseconds; 0 before the first answer. @hot */
  at(nowMs: number): number {
    return this.#valueUs === 0 ? 0 : this.#valueUs * wear(nowMs - this.#stampMs);
  }

  /** An answer took so long. @hot */
  observe(latencyUs: number, nowMs: number): void {
    const kept = wear(nowMs - this.#stampMs);
    const average = this.#valueUs === 0 ? latencyUs : this.#valueUs * kept + latencyUs * (1 - kept);
    this.#valueUs = Math.max(latencyUs, average);
    this.#stampMs = nowMs;
  }

  /** Nothing came for so long: that may only make it look slower, or an endpoint that fails at once would look quick. @hot */
  raise(waitedUs: number, nowMs: number): void {
    if (waitedUs <= this.at(nowMs)) return;
    this.#valueUs = waitedUs;
    this.#stampMs = nowMs;
  }
}

const wear = (sinceMs: number): number => Math.exp(-Math.max(0, sinceMs) / WEAR_MS);
