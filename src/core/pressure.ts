/** How short of memory or time this process is, and what it stops doing at each level; a level stops what those below it stop. */
export const PressureLevel = {
  None: 0,
  /** No new cache entries. */
  NoNewEntries: 1,
  /** Idle connections are closed. */
  NoIdle: 2,
  /** New work is refused. */
  NoNewWork: 3,
} as const;
export type PressureLevel = (typeof PressureLevel)[keyof typeof PressureLevel];

/** Read on the hot path. */
export interface PressureSource {
  readonly level: PressureLevel;
}

export const NO_PRESSURE: PressureSource = Object.freeze({ level: PressureLevel.None });
