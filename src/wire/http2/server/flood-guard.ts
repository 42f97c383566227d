import type { Timing } from '../../../core/timing.ts';
import { FrameRate } from '../frame-rate.ts';
import type { H2ServerLimits } from './server-limits.ts';

/** Counts what a client may send cheaply and a server pays for (RFC 9113, 10.5). False is one too many: the connection ends. */
export class FloodGuard {
  readonly #timing: Timing;
  readonly #resets: FrameRate;
  readonly #violations: FrameRate;
  readonly #pings: FrameRate;
  readonly #settings: FrameRate;
  readonly #empty: FrameRate;
  readonly #maxStalled: number;
  #stalled = 0;

  constructor(limits: H2ServerLimits, timing: Timing) {
    const { burstSeconds } = limits;
    this.#timing = timing;
    this.#resets = new FrameRate(limits.resetsPerSecond, limits.resetsPerSecond * burstSeconds);
    this.#violations = new FrameRate(limits.resetsPerSecond, limits.resetsPerSecond * burstSeconds);
    this.#pings = new FrameRate(limits.pingsPerSecond, limits.pingsPerSecond * burstSeconds);
    this.#settings = new FrameRate(limits.settingsPerSecond, limits.settingsPerSecond * burstSeconds);
    this.#empty = new FrameRate(limits.emptyFramesPerSecond, limits.emptyFramesPerSecond * burstSeconds);
    this.#maxStalled = limits.maxStalledStreams;
  }

  /** A stream that was begun in vain: the client has reset it. */
  reset(): boolean {
    return this.#resets.take(this.#timing.clock.nowMs());
  }

  /** One that the client has made us reset, which no answer makes good. */
  violated(): boolean {
    return this.#violations.take(this.#timing.clock.nowMs());
  }

  ping(): boolean {
    return this.#pings.take(this.#timing.clock.nowMs());
  }

  settings(): boolean {
    return this.#settings.take(this.#timing.clock.nowMs());
  }

  /** A frame without effect: no data and no end, a priority, a type that nobody knows, room for a stream that is gone. */
  empty(): boolean {
    return this.#empty.take(this.#timing.clock.nowMs());
  }

  /** An answer was cut since its client gave it no room. */
  stalled(): boolean {
    return ++this.#stalled <= this.#maxStalled;
  }

  /** A whole answer was taken: who takes as many as it resets is a busy client, and no flood. @hot */
  moved(): void {
    this.#stalled = 0;
    this.#resets.giveBack();
  }
}
