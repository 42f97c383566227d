import { H2Error, type H2ErrorCode } from '../h2-error.ts';

export interface HeaderBlockLimits {
  /** Of one block that comes in several frames, as they are, still compressed. */
  readonly maxBlockBytes: number;
  readonly maxContinuations: number;
}

/** A block that is somewhat too large is refused in words, and the connection goes on; beyond this times its list the connection ends. */
export const BLOCK_FACTOR = 4;

/** Who cuts up blocks of a few bytes must not have kilobytes taken for each. */
const FIRST_ROOM = 256;

/** Joins a header block that comes in a HEADERS frame and CONTINUATION frames (RFC 9113, 4.3 and 6.10). */
export class HeaderGatherer {
  readonly #limits: HeaderBlockLimits;
  /** The stream whose block is being gathered; 0 when none is. */
  streamId = 0;
  endStream = false;
  block: Buffer = EMPTY;
  length = 0;
  #continuations = 0;

  constructor(limits: HeaderBlockLimits) {
    this.#limits = limits;
  }

  begin(streamId: number, endStream: boolean): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.length = 0;
    this.#continuations = 0;
  }

  /** Without an end in sight a block is an attack: RFC 9113, 10.5.1 leaves the limits to us. */
  continued(): H2ErrorCode {
    this.#continuations++;
    return this.#continuations > this.#limits.maxContinuations ? H2Error.EnhanceYourCalm : H2Error.None;
  }

  add(from: Buffer, start: number, end: number): H2ErrorCode {
    const length = this.length + end - start;
    if (length > this.#limits.maxBlockBytes) return H2Error.EnhanceYourCalm;
    if (length > this.block.length) this.#grow(length);
    from.copy(this.block, this.length, start, end);
    this.length = length;
    return H2Error.None;
  }

  /** The block has been used; its memory goes too. */
  end(): void {
    this.streamId = 0;
    this.block = EMPTY;
    this.length = 0;
  }

  #grow(length: number): void {
    const room = Math.min(Math.max(FIRST_ROOM, length * 2), this.#limits.maxBlockBytes);
    const block = Buffer.allocUnsafeSlow(room);
    this.block.copy(block, 0, 0, this.length);
    this.block = block;
  }
}

const EMPTY = Buffer.alloc(0);
