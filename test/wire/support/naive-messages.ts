/** Cuts bytes into messages of gRPC by joining all of them again and again, and knows what gRPC says of those that are none. */
export class NaiveMessages {
  /** Why no more is taken, as a status of gRPC; 0 while all is well. */
  status = 0;
  readonly #maxBytes: number;
  readonly #encoding: string | null;
  #bytes: Buffer = Buffer.alloc(0);

  /** `encoding` is what the other side states, empty where it states none; null where none is taken. */
  constructor(maxBytes: number, encoding: string | null) {
    this.#maxBytes = maxBytes;
    this.#encoding = encoding;
  }

  get isPartial(): boolean {
    return this.#bytes.length > 0;
  }

  /** The messages that these bytes complete. */
  add(chunk: Buffer): Buffer[] {
    const whole: Buffer[] = [];
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.status === 0 && this.#bytes.length > 0) {
      if (this.#bytes[0]! > 1) this.status = 13;
      if (this.status !== 0 || this.#bytes.length < 5) break;
      const size = this.#bytes.readUInt32BE(1);
      if (size > this.#maxBytes) this.status = 8;
      else if (this.#bytes[0] === 1 && this.#encoding === null) this.status = 13;
      if (this.status !== 0 || this.#bytes.length < size + 5) break;
      // No encoding is stated, or one that nobody knows.
      if (this.#bytes[0] === 1) this.status = ['', 'identity'].includes(this.#encoding!) ? 13 : 12;
      else whole.push(this.#bytes.subarray(5, size + 5));
      this.#bytes = this.#bytes.subarray(size + 5);
    }
    return whole;
  }
}
