import type { Clock } from '../../core/clock.ts';
import type { Timed } from '../../core/deadline-heap.ts';
import { Deadlines } from '../../core/deadlines.ts';
import type { ByteBudget } from '../../core/limits.ts';
import { SYSTEM_TIMING, type Timing } from '../../core/timing.ts';
import type { StreamFront } from './stream-front.ts';

export interface StreamLimits {
  readonly maxInFlight: number;
  readonly idleMs: number;
  /** Time for a client to send the rest of a message that it has begun. */
  readonly bodyTimeoutMs: number;
  /** The budget of all bodies of the process: messages that are not whole yet count in it as well. */
  readonly bytes: ByteBudget;
}

/** A stream that can be told to come to an end. */
export interface Drainable {
  drain(): void;
}

/** A call whose message may come too slowly. */
export interface AwaitsBody extends Timed {
  slow(): void;
}

/** What the calls of one listener share: their limits, and the bytes that are on their way to any of them. */
export class StreamHouse {
  readonly front: StreamFront;
  readonly limits: StreamLimits;
  readonly clock: Clock;
  /** By when the messages of unary calls have to be here. */
  readonly slowBodies: Deadlines<AwaitsBody>;
  readonly #open = new Set<Drainable>();
  #draining = false;

  constructor(front: StreamFront, limits: StreamLimits, timing: Timing = SYSTEM_TIMING) {
    this.front = front;
    this.limits = limits;
    this.clock = timing.clock;
    this.slowBodies = new Deadlines<AwaitsBody>(timing, (call) => call.slow());
  }

  get size(): number {
    return this.#open.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  add(stream: Drainable): void {
    this.#open.add(stream);
  }

  remove(stream: Drainable): void {
    this.#open.delete(stream);
  }

  /** Moves one stream's share of the bytes on their way; false when there is no room for more. */
  movePartial(fromBytes: number, toBytes: number): boolean {
    const { bytes } = this.limits;
    if (toBytes > fromBytes) return bytes.take(toBytes - fromBytes);
    bytes.give(fromBytes - toBytes);
    return true;
  }

  drain(): void {
    this.#draining = true;
    for (const stream of [...this.#open]) stream.drain();
  }
}
