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

export class SystemClock implements Clock {
  nowMs(): Millis {
    return Math.trunc(performance.now()) as Millis;
  }

  nowUs(): number {
    return performance.now() * 1000;
  }

  wallMs(): number {
    return Date.now();
  }
}
