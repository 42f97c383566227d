import type { Millis } from './units.ts';

/** The only source of time on the request path, so that tests can stand in for it. */
export interface Clock {
  /** Monotonic, whole milliseconds since this process started. */
  nowMs(): Millis;
  /** Monotonic, microseconds since this process started; for durations. */
  nowUs(): number;
  /** Wall clock, milliseconds since 1970; for log lines and records only. */
  wallMs(): number;
}

/** Kept: the global is a getter, and asking it each time costs a tenth of a reading more. */
const now = performance.now.bind(performance);

export class SystemClock implements Clock {
  nowMs(): Millis {
    return Math.trunc(now()) as Millis;
  }

  nowUs(): number {
    return now() * 1000;
  }

  wallMs(): number {
    return Date.now();
  }
}
