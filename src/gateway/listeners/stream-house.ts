import type { ByteBudget } from '../../core/limits.ts';
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

/** What the streams of one listener share: their limits, and the bytes that are on their way to any of them. */
export class StreamHouse {
  readonly front: StreamFront;
  readonly limits: StreamLimits;
  readonly #open = new Set<Drainable>();
  #draining = false;

  constructor(front: StreamFront, limits: StreamLimits) {
    this.front = front;
    this.limits = limits;
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
