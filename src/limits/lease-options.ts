import type { Clock } from '../core/clock.ts';
import type { LeaseOffice } from '../core/limits.ts';
import type { SetAlarm } from './alarm.ts';

/** What a worker's leases work with, those of tokens and those of places. */
export interface LeaseOptions {
  readonly office: LeaseOffice;
  readonly clock: Clock;
  readonly setAlarm: SetAlarm;
  /** How long an answer of the office is waited for. A request may wait twice as long, behind an ask that was under way when it came. */
  readonly askTimeoutMs: number;
  /** Requests that wait for the office at the same time, for tokens and for the places of one cap; more cannot be judged. */
  readonly maxWaiting: number;
}
