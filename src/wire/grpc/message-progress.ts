/**
 * Follows the messages of a stream by their frames, each a flag, a length in four bytes and so many bytes, to tell how much of a message
 * is here and how much is on its way. The package knows, and does not say.
 *
 *   00 | 00 00 00 03 | 'a' 'b' 'c' | 00 | 00 00 00 …
 */
export class MessageProgress {
  /** Bytes here of a message that is not whole yet, its frame's head included; 0 between messages. */
  partialBytes = 0;
  /** Messages that have come whole. */
  whole = 0;
  /** Bytes of the head that are here. */
  #headBytes = 0;
  #length = 0;

  /** @hot */
  feed(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#headBytes < HEAD_BYTES ? this.#feedHead(chunk, at) : this.#feedBody(chunk, at);
      if (this.#headBytes === HEAD_BYTES && this.partialBytes === HEAD_BYTES + this.#length) this.#next();
    }
  }

  #feedHead(chunk: Uint8Array, at: number): number {
    // Multiplied, not shifted: lengths past 2 GiB would turn negative.
    if (this.#headBytes > 0) this.#length = this.#length * 256 + chunk[at]!;
    this.#headBytes++;
    this.partialBytes++;
    return at + 1;
  }

  #feedBody(chunk: Uint8Array, at: number): number {
    const missing = HEAD_BYTES + this.#length - this.partialBytes;
    const taken = Math.min(missing, chunk.length - at);
    this.partialBytes += taken;
    return at + taken;
  }

  #next(): void {
    this.whole++;
    this.partialBytes = 0;
    this.#headBytes = 0;
    this.#length = 0;
  }
}

const HEAD_BYTES = 5;
