/** A flag and a length ahead of each message. */
const HEAD_BYTES = 5;
/** Memory for a whole message is taken when so many of its bytes are here: a length alone is only a claim. */
const PROVEN_BYTES = 1_048_576;

/**
 * Cuts the bytes of one direction of a call into messages, each with its head, as the package's own decoder does. That one keeps every
 * piece and joins them when the last has come, which holds the event loop for 30 to 60 ms where a message has 64 MiB. Here each piece is
 * copied to its place when it comes.
 */
export class MessageDecoder {
  readonly #maxBytes: number;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** Head included; 0 while the head is not whole. */
  #size = 0;
  #at = 0;
  #pieces: Uint8Array[] = [];
  #whole: Buffer | null = null;

  /** -1 sets no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that `data` completes. Throws when one is too large, as its caller expects. */
  write(data: Uint8Array): Buffer[] {
    const messages: Buffer[] = [];
    let from = 0;
    while (from < data.length) {
      from += this.#size === 0 ? this.#readHead(data, from) : this.#readBody(data, from);
      if (this.#size > 0 && this.#at === this.#size) messages.push(this.#finish());
    }
    return messages;
  }

  #readHead(data: Uint8Array, from: number): number {
    const piece = data.subarray(from, from + HEAD_BYTES - this.#headBytes);
    this.#head.set(piece, this.#headBytes);
    this.#headBytes += piece.length;
    if (this.#headBytes < HEAD_BYTES) return piece.length;
    const bytes = this.#head.readUInt32BE(1);
    if (this.#maxBytes !== -1 && bytes > this.#maxBytes) {
      throw new Error(`Received message larger than max (${bytes} vs ${this.#maxBytes})`);
    }
    this.#size = HEAD_BYTES + bytes;
    this.#at = HEAD_BYTES;
    return piece.length;
  }

  #readBody(data: Uint8Array, from: number): number {
    const piece = data.subarray(from, from + this.#size - this.#at);
    if (this.#whole !== null) this.#whole.set(piece, this.#at);
    else this.#pieces.push(piece);
    this.#at += piece.length;
    if (this.#whole === null && this.#at >= PROVEN_BYTES) this.#whole = this.#joined();
    return piece.length;
  }

  #joined(): Buffer {
    const whole = Buffer.allocUnsafe(this.#size);
    whole.set(this.#head, 0);
    let at = HEAD_BYTES;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return whole;
  }

  #finish(): Buffer {
    const message = this.#whole ?? this.#joined();
    this.#whole = null;
    this.#headBytes = 0;
    this.#size = 0;
    return message;
  }
}
