import type { Millis } from './units.ts';

/** How often the calls of one model may be tried again, and when. Lives as long as its model: budgets outlast every change of weights. */
export interface CallPolicy {
  /** Tries of one request after its first. */
  readonly maxRetries: number;
  /** Longest one try may take, milliseconds; 0 sets none but the deadline of the request. */
  readonly tryTimeoutMs: number;
  readonly budget: RetryAllowance;
  /** Null sends no copy of a slow call. */
  readonly hedge: HedgeTiming | null;
}

/** Bounds what retries add to the load of a backend that fails. */
export interface RetryAllowance {
  /** A request was begun. */
  requested(nowMs: Millis): void;
  /** Whether one more may be sent; if so it is counted. */
  take(nowMs: Millis): boolean;
}

/** When a second copy of a slow call is worth sending. */
export interface HedgeTiming {
  /** Milliseconds after the first; Infinity while too little is known. */
  readonly delayMs: number;
  /** A call that was not hedged took so long. */
  note(latencyUs: number): void;
}
