/** What the generator is told, and what it tells: the two ends of its channel. */

import type { ArrivalKind } from './arrivals.ts';

export interface LoadOrder {
  readonly port: number;
  /** The whole request as it goes over the wire. */
  readonly request: string;
  readonly arrival: ArrivalKind;
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
  /** An answer later than this after its request was due is of no use. */
  readonly deadlineMs: number;
  readonly maxConnections: number;
  /** Whether a request that finds no connection free waits for one, in its turn, and counts its wait; otherwise it is lost at once. */
  readonly waits: boolean;
}

export interface LoadReport {
  readonly offered: number;
  /** Good answers within the deadline, and later ones. */
  readonly good: number;
  readonly late: number;
  /** Answers of 429 or 503. */
  readonly refused: number;
  /** Other answers, 504 among them. */
  readonly failed: number;
  /** No answer at all: given up, not sent, or the connection died. */
  readonly lost: number;
  /** Of those lost, the ones for which no connection was free. */
  readonly unsent: number;
  /** From the time a request was due to its answer; 0 where there is none. Milliseconds. */
  readonly admittedMs: Percentiles;
  readonly refusedMs: Percentiles;
  /** How much later than due requests were really sent: the generator's own fault. */
  readonly lateSendMs: Percentiles;
  /** Of the core that the generator ran on. */
  readonly cpuPercent: number;
  readonly elapsedMs: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}
