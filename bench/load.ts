/** What a run of load gives, whatever the protocol. */

import { createHistogram } from 'node:perf_hooks';

/** Questions under way at the same time: each is asked anew when its answer has come. */
export const IN_FLIGHT = 64;

export interface LoadResult {
  /** Answers of status 2xx or OK. */
  readonly good: number;
  /** Answers of another status, and questions without an answer. */
  readonly bad: number;
  /** Good answers whose bytes differ from the expected ones. */
  readonly strange: number;
  /** From the first question to the last answer. */
  readonly elapsedMs: number;
  readonly latency: LatencyMs;
}

export interface LatencyMs {
  readonly p50: number;
  readonly p90: number;
  readonly p97_5: number;
  readonly p99: number;
}

/** Asks the same question so many times. */
export type Load = (amount: number) => Promise<LoadResult>;

const LONGEST_US = 60_000_000;

/** Latencies to three figures. */
export class LatencyLog {
  readonly #histogram = createHistogram({ lowest: 1, highest: LONGEST_US, figures: 3 });

  add(ms: number): void {
    this.#histogram.record(Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1000))));
  }

  summary(): LatencyMs {
    const at = (percent: number): number => this.#histogram.percentile(percent) / 1000;
    return { p50: at(50), p90: at(90), p97_5: at(97.5), p99: at(99) };
  }
}
