import type { Clock } from '../../src/core/clock.ts';
import { millis } from '../../src/core/units.ts';

/** The time of vitest's fake timers: the system's own clock keeps the function that they would replace. */
export const TIMERS_CLOCK: Clock = {
  nowMs: () => millis(Math.trunc(performance.now())),
  nowUs: () => performance.now() * 1000,
  wallMs: () => Date.now(),
};
