import { type Clock, SystemClock } from './clock.ts';

/** What a timer of the system can wait at most: asked for more, it rings at once. */
export const MAX_ALARM_MS = 0x7fff_ffff;

/** Rings once after so many milliseconds, or earlier where they are more than MAX_ALARM_MS, unless the function it returns is called first. */
export type SetAlarm = (ms: number, ring: () => void) => () => void;

/** Time and chance as a connection sees them, so that tests can stand in for both. */
export interface Timing {
  readonly clock: Clock;
  readonly setAlarm: SetAlarm;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * A loop that was busy for longer than an alarm takes has not read yet what came in time: so the bell rings behind the next look at the
 * sockets. Alarms keep no process alive.
 */
const systemAlarm: SetAlarm = (ms, ring) => {
  let immediate: NodeJS.Immediate | null = null;
  const timer = setTimeout(
    () => {
      immediate = setImmediate(ring);
    },
    Math.min(ms, MAX_ALARM_MS),
  ).unref();
  return () => {
    clearTimeout(timer);
    if (immediate !== null) clearImmediate(immediate);
  };
};

export const SYSTEM_TIMING: Timing = { clock: new SystemClock(), setAlarm: systemAlarm, random: Math.random };
