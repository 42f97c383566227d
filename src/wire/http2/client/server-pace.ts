import type { Timing } from '../../../core/timing.ts';
import { FrameRate } from '../frame-rate.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import type { H2ClientLimits } from './client-limits.ts';

/**
 * Counts frames of a server that bring nothing and cost something (RFC 9113, 10.5): more is a server gone mad, and ends the connection.
 * Empty DATA is not counted: some servers send one with each answer.
 */
export class ServerPace {
  readonly #timing: Timing;
  readonly #pings: FrameRate;
  readonly #settings: FrameRate;
  readonly #empty: FrameRate;

  constructor({ pingsPerSecond, settingsPerSecond, emptyFramesPerSecond, burstSeconds }: H2ClientLimits, timing: Timing) {
    this.#timing = timing;
    this.#pings = new FrameRate(pingsPerSecond, pingsPerSecond * burstSeconds);
    this.#settings = new FrameRate(settingsPerSecond, settingsPerSecond * burstSeconds);
    this.#empty = new FrameRate(emptyFramesPerSecond, emptyFramesPerSecond * burstSeconds);
  }

  ping(): H2ErrorCode {
    return this.#judge(this.#pings);
  }

  settings(): H2ErrorCode {
    return this.#judge(this.#settings);
  }

  /** A frame without effect: a priority, a type that nobody knows, another farewell. */
  empty(): H2ErrorCode {
    return this.#judge(this.#empty);
  }

  #judge(rate: FrameRate): H2ErrorCode {
    return rate.take(this.#timing.clock.nowMs()) ? H2Error.None : H2Error.EnhanceYourCalm;
  }
}
