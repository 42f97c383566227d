import type { Usage } from './inference.ts';

/** How often something happened, and how long it took in all. */
export class Tallied {
  count = 0;
  us = 0;

  /** @hot */
  add(us: number): void {
    this.count++;
    this.us += us;
  }
}

/** What a variant has done since the start, as the statistics extension of the protocol tells it. */
export class VariantStatistics {
  readonly success = new Tallied();
  readonly fail = new Tallied();
  readonly cacheHit = new Tallied();
  readonly cacheMiss = new Tallied();
  /** Time from the start of the backend call to its answer, less the compute that the backend reported. */
  readonly queue = new Tallied();
  readonly compute = new Tallied();
  /** Rows that the backend ran; those answered from the cache are not among them. */
  rows = 0;
  /** Wall clock of the last answer; 0 before the first. */
  lastAnswerMs = 0;

  /** An answer that a backend gave. @hot */
  answered(usage: Usage, inferUs: number, totalUs: number, wallMs: number): void {
    this.success.add(totalUs);
    this.cacheMiss.add(inferUs);
    this.compute.add(usage.computeUs);
    this.queue.add(Math.max(0, inferUs - usage.computeUs));
    this.rows += usage.rows;
    this.lastAnswerMs = wallMs;
  }

  /** An answer from the cache. @hot */
  recalled(totalUs: number, wallMs: number): void {
    this.success.add(totalUs);
    this.cacheHit.add(totalUs);
    this.lastAnswerMs = wallMs;
  }
}
