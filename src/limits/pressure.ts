import { PressureLevel, type PressureSource } from '../core/pressure.ts';

/** How the process is now. */
export interface PressureReading {
  /** The larger share of the heap's and of the container's limit that is in use. */
  readonly memoryShare: number;
  /** How late the event loop was since the last reading, on average. */
  readonly loopDelayMs: number;
}

export interface PressureThresholds {
  /** Shares of memory from which each level holds, ascending. */
  readonly noNewEntries: number;
  readonly noIdle: number;
  readonly noNewWork: number;
  /** An event loop that is this late twice in a row takes no new work. */
  readonly loopDelayMs: number;
}

/** A level ends this far below the share at which it began, so that it does not come and go with every collection of garbage. */
const RELEASE_SHARE = 0.02;
/** One late turn may be a single large body. */
const LATE_READINGS = 2;

/** Judges readings of memory and of the event loop, with hysteresis, and keeps the level as one number. */
export class Pressure implements PressureSource {
  readonly #read: () => PressureReading;
  readonly #collect: () => void;
  readonly #shares: readonly number[];
  readonly #loopDelayMs: number;
  #level: PressureLevel = PressureLevel.None;
  #memoryLevel: PressureLevel = PressureLevel.None;
  #late = 0;
  #memoryShare = 0;
  #isLate = false;

  /** `collect` is called at each reading for whose memory new work is refused: what is garbage by then nothing else would collect. */
  constructor(thresholds: PressureThresholds, read: () => PressureReading, collect: () => void) {
    this.#read = read;
    this.#collect = collect;
    // Level 0 begins at nothing.
    this.#shares = [0, thresholds.noNewEntries, thresholds.noIdle, thresholds.noNewWork];
    this.#loopDelayMs = thresholds.loopDelayMs;
  }

  /** @hot */
  get level(): PressureLevel {
    return this.#level;
  }

  /** What it is that makes the process refuse; memory where it is both. */
  get reason(): 'memory' | 'event_loop' {
    return this.#memoryLevel < PressureLevel.NoNewWork && this.#isLate ? 'event_loop' : 'memory';
  }

  get memoryShare(): number {
    return this.#memoryShare;
  }

  /** Takes one reading. */
  poll(): void {
    const { memoryShare, loopDelayMs } = this.#read();
    this.#memoryShare = memoryShare;
    this.#memoryLevel = this.#memoryLevelAt(memoryShare);
    this.#judgeLoop(loopDelayMs);
    this.#level = this.#isLate ? PressureLevel.NoNewWork : this.#memoryLevel;
    if (this.#memoryLevel === PressureLevel.NoNewWork) this.#collect();
  }

  #memoryLevelAt(share: number): PressureLevel {
    let level: PressureLevel = PressureLevel.None;
    for (const each of [PressureLevel.NoNewEntries, PressureLevel.NoIdle, PressureLevel.NoNewWork]) {
      const from = this.#shares[each]! - (each <= this.#memoryLevel ? RELEASE_SHARE : 0);
      if (share >= from) level = each;
    }
    return level;
  }

  /** Late from twice over the threshold, in time again from twice under half of it. */
  #judgeLoop(delayMs: number): void {
    const isOther = this.#isLate ? delayMs < this.#loopDelayMs / 2 : delayMs >= this.#loopDelayMs;
    this.#late = isOther ? this.#late + 1 : 0;
    if (this.#late < LATE_READINGS) return;
    this.#isLate = !this.#isLate;
    this.#late = 0;
  }
}
