/** What the caller is told, and what it tells: the two ends of its channel. */

/** What is asked, and over what: the first order. */
export interface CallerSetup {
  readonly is: 'begin';
  readonly address: string;
  readonly connections: number;
  /** Asked in turn. */
  readonly models: readonly string[];
  /** A file with a JSON list of credentials, used in turn; an empty one is not sent. */
  readonly credentialsFile: string;
}

export interface CallerOrder {
  readonly is: 'ask';
  readonly calls: number;
  /** At the same time, at most. Where `perSecond` is not 0 a call that is due waits for others beyond it, and its wait counts. */
  readonly inFlight: number;
  /** Poisson arrivals of an open loop; 0 is a closed loop: as many as may be are in flight all the time. */
  readonly perSecond: number;
  readonly seed: number;
}

export interface CallerReport {
  /** Answers of status OK, and all others. */
  readonly good: number;
  readonly bad: number;
  /** What the first of the bad ones said, and the first good answer that was not the right one; one in a thousand is looked at. */
  readonly problem: string;
  readonly elapsedMs: number;
  /** From the time a call was due to its answer. */
  readonly latencyMs: Latency;
  /** How much later calls were begun than they were due and had room: the caller's own fault, or of whoever else has its core. */
  readonly lateMs: Latency;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}
