import type { Clock } from '../../src/core/clock.ts';
import { type Millis, millis } from '../../src/core/units.ts';

const WALL_START_MS = 1_700_000_000_000;

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #elapsedMs: number;

  constructor(startMs = 0) {
    this.#elapsedMs = startMs;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
  }

  set(nowMs: Millis): void {
    this.#elapsedMs = nowMs;
  }

  nowMs(): Millis {
    return millis(this.#elapsedMs);
  }

  nowUs(): number {
    return this.#elapsedMs * 1000;
  }

  wallMs(): number {
    return WALL_START_MS + Math.trunc(this.#elapsedMs);
  }
}
