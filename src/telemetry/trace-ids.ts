import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** Random ids, cut from a pool: asking the system for each would cost more than the rest of an unsampled trace. */
export class TraceIds {
  readonly #fill: (pool: Uint8Array) => void;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #at = POOL_BYTES;

  constructor(fill: (pool: Uint8Array) => void = randomFillSync) {
    this.#fill = fill;
  }

  /** 32 hexadecimal digits, never all zero. @hot */
  traceId(): string {
    return this.#hex(TRACE_ID_BYTES);
  }

  /** 16 hexadecimal digits, never all zero. @hot */
  spanId(): string {
    return this.#hex(SPAN_ID_BYTES);
  }

  /** Evenly distributed in [0, 1). @hot */
  share(): number {
    return this.#pool.readUInt32LE(this.#take(4)) / 0x1_0000_0000;
  }

  #hex(bytes: number): string {
    const at = this.#take(bytes);
    // All zero means "no id". One bit is given up rather than all drawn again, so that no loop depends on luck.
    this.#pool[at]! |= 1;
    return this.#pool.toString('hex', at, at + bytes);
  }

  #take(bytes: number): number {
    if (this.#at + bytes > POOL_BYTES) {
      this.#fill(this.#pool);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
