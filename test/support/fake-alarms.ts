import type { SetAlarm } from '../../src/limits/alarm.ts';
import type { FakeClock } from './fake-clock.ts';

interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Alarms that ring when a test moves the clock through here. */
export class FakeAlarms {
  readonly #clock: FakeClock;
  readonly #set = new Set<Alarm>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  readonly set: SetAlarm = (ms, ring) => {
    const alarm = { atMs: this.#clock.nowMs() + ms, ring };
    this.#set.add(alarm);
    return () => this.#set.delete(alarm);
  };

  get size(): number {
    return this.#set.size;
  }

  /** Until the first of them rings; infinite where there is none. */
  get nextMs(): number {
    return Math.min(...[...this.#set].map(({ atMs }) => atMs)) - this.#clock.nowMs();
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
    for (const alarm of [...this.#set].sort((a, b) => a.atMs - b.atMs)) {
      if (alarm.atMs > this.#clock.nowMs() || !this.#set.delete(alarm)) continue;
      alarm.ring();
    }
  }
}
