import type { Timing } from '../../../core/timing.ts';

/** How long a connection may be silent before it is asked, and how long it may be after that. */
export interface HeartbeatTimes {
  readonly afterMs: number;
  readonly timeoutMs: number;
}

export interface Pulse {
  ping(): void;
  silent(): void;
}

/** Finds out that the other side of a connection with calls on it is dead. One alarm, which looks and sleeps again. */
export class Heartbeat {
  readonly #timing: Timing;
  readonly #times: HeartbeatTimes;
  readonly #pulse: Pulse;
  readonly #ring = (): void => this.#look();
  #disarm: (() => void) | null = null;
  #beating = false;
  #heardMs = 0;
  /** When it was asked; nothing has come since as long as this is later than `#heardMs`. */
  #askedMs = -1;

  constructor(timing: Timing, times: HeartbeatTimes, pulse: Pulse) {
    this.#timing = timing;
    this.#times = times;
    this.#pulse = pulse;
  }

  /** Calls are waiting for answers. An alarm that is set already stays. */
  start(): void {
    this.#beating = true;
    this.heard();
    this.#disarm ??= this.#timing.setAlarm(this.#times.afterMs, this.#ring);
  }

  /** No call is waiting; the alarm may ring once for nothing. */
  rest(): void {
    this.#beating = false;
  }

  stop(): void {
    this.#beating = false;
    this.#disarm?.();
    this.#disarm = null;
  }

  /** Something came. @hot */
  heard(): void {
    this.#heardMs = this.#timing.clock.nowMs();
    this.#askedMs = -1;
  }

  #look(): void {
    this.#disarm = null;
    if (!this.#beating) return;
    const nowMs = this.#timing.clock.nowMs();
    const silentMs = nowMs - this.#heardMs;
    const { afterMs, timeoutMs } = this.#times;
    if (this.#askedMs >= 0) {
      const leftMs = this.#askedMs + timeoutMs - nowMs;
      if (leftMs <= 0) this.#pulse.silent();
      else this.#sleep(leftMs);
    } else if (silentMs < afterMs) this.#sleep(afterMs - silentMs);
    else {
      this.#askedMs = nowMs;
      this.#pulse.ping();
      this.#sleep(timeoutMs);
    }
  }

  #sleep(ms: number): void {
    this.#disarm = this.#timing.setAlarm(ms, this.#ring);
  }
}
