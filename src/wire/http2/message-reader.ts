/** A flag and a length stand ahead of each message. */
export const MESSAGE_HEAD_BYTES = 5;

/** Memory for a message beyond this grows with what has come of it: a length alone is only a claim. */
const FIRST_ROOM = 65_536;
/** From so much on it grows by a larger factor, so that large messages are copied once or twice. */
const PROVEN_BYTES = 1_048_576;
const PROVEN_GROWTH = 8;

const EMPTY = Buffer.alloc(0);

/**
 * Cuts the DATA of one direction of a gRPC call into messages. What it is given is only lent, so each byte is copied once, to where it
 * stays; a message that lies whole in its chunk and has at least `viewedBytes` is a view where the owner of the chunks allows that.
 */
export class MessageReader {
  /** The message that `read` has completed; null when there is none yet. Whoever takes it sets it null. */
  message: Buffer | null = null;
  /** Bytes of an unfinished message that are here, its head included. */
  haveBytes = 0;
  /** Why nothing more is read; empty while all is well. */
  refusal: '' | 'compressed' | 'flag' | 'size' = '';
  /** What the last head said. */
  size = 0;
  readonly #maxBytes: number;
  readonly #viewedBytes: number;
  readonly #takesCompressed: boolean;
  #flag = 0;
  #whole: Buffer = EMPTY;

  constructor(maxBytes: number, viewedBytes: number, takesCompressed = false) {
    this.#maxBytes = maxBytes;
    this.#viewedBytes = viewedBytes;
    this.#takesCompressed = takesCompressed;
  }

  /** Of the message that `read` has completed. */
  get isCompressed(): boolean {
    return this.#flag === 1;
  }

  /** Reads until a message is whole or the bytes end; answers where it stopped. @hot */
  read(chunk: Buffer, from: number, to: number): number {
    let at = from;
    while (this.haveBytes < MESSAGE_HEAD_BYTES) {
      if (at === to) return at;
      this.#readHead(chunk[at++]!);
      if (this.refusal !== '') return to;
    }
    const left = this.size + MESSAGE_HEAD_BYTES - this.haveBytes;
    if (to - at >= left && this.haveBytes === MESSAGE_HEAD_BYTES) {
      this.message = this.size >= this.#viewedBytes ? chunk.subarray(at, at + left) : copyOf(chunk, at, left);
      this.haveBytes = 0;
      return at + left;
    }
    const end = Math.min(to, at + left);
    this.#keep(chunk, at, end);
    if (end - at === left) {
      this.message = this.#whole;
      this.#whole = EMPTY;
      this.haveBytes = 0;
    }
    return end;
  }

  #readHead(octet: number): void {
    const n = this.haveBytes++;
    if (n === 0) {
      this.#flag = octet;
      this.size = 0;
      if (octet > 1) this.refusal = 'flag';
      return;
    }
    // Multiplied, since a shift would make large lengths negative.
    this.size = this.size * 256 + octet;
    if (this.haveBytes < MESSAGE_HEAD_BYTES) return;
    if (this.size > this.#maxBytes) this.refusal = 'size';
    else if (this.#flag === 1 && !this.#takesCompressed) this.refusal = 'compressed';
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const at = this.haveBytes - MESSAGE_HEAD_BYTES;
    const needed = at + to - from;
    if (needed > this.#whole.length) this.#grow(at, needed);
    chunk.copy(this.#whole, at, from, to);
    this.haveBytes += to - from;
  }

  #grow(have: number, needed: number): void {
    const grown = needed >= PROVEN_BYTES ? needed * PROVEN_GROWTH : Math.max(FIRST_ROOM, needed, this.#whole.length * 2);
    const room = Math.min(this.size, grown);
    const whole = Buffer.allocUnsafe(room);
    this.#whole.copy(whole, 0, 0, have);
    this.#whole = whole;
  }
}

function copyOf(chunk: Buffer, at: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  chunk.copy(copy, 0, at, at + length);
  return copy;
}
