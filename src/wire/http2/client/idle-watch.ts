import type { Timing } from '../../../core/timing.ts';

/** Finds out that no call has been on a connection for so long. One alarm, which looks and sleeps again. */
export class IdleWatch {
  readonly #timing: Timing;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  readonly #ring = (): void => this.#look();
  #disarm: (() => void) | null = null;
  /** Since when there is no call; negative while there is one. */
  #sinceMs = BUSY;

  constructor(timing: Timing, idleMs: number, onIdle: () => void) {
    this.#timing = timing;
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
  }

  /** There is a call; the alarm may ring once for nothing. @hot */
  busy(): void {
    this.#sinceMs = BUSY;
  }

  /** There is none. An alarm that is set already stays. @hot */
  rest(): void {
    this.#sinceMs = this.#timing.clock.nowMs();
    this.#disarm ??= this.#timing.setAlarm(this.#idleMs, this.#ring);
  }

  stop(): void {
    this.#sinceMs = BUSY;
    this.#disarm?.();
    this.#disarm = null;
  }

  #look(): void {
    this.#disarm = null;
    if (this.#sinceMs === BUSY) return;
    const leftMs = this.#sinceMs + this.#idleMs - this.#timing.clock.nowMs();
    if (leftMs <= 0) this.#onIdle();
    else this.#disarm = this.#timing.setAlarm(leftMs, this.#ring);
  }
}

const BUSY = -1;
