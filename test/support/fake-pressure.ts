import { Pressure, type PressureThresholds } from '../../src/limits/pressure.ts';

export const THRESHOLDS: PressureThresholds = { noNewEntries: 0.85, noIdle: 0.92, noNewWork: 0.95, loopDelayMs: 500 };

/** A process that is short of nothing. */
export function calm(): Pressure {
  return new Pressure(
    THRESHOLDS,
    () => ({ memoryShare: 0, loopDelayMs: 0 }),
    () => undefined,
  );
}
