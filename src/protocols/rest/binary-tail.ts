const NOTHING = new Uint8Array(0);

/** The raw bytes behind the JSON of a request, given out as views to the inputs in their order. */
export class BinaryTail {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #stated = false;

  /** Null when the whole body is JSON. */
  start(bytes: Uint8Array | null): void {
    this.#bytes = bytes ?? NOTHING;
    this.#at = 0;
    this.#stated = bytes !== null;
  }

  /** Lets go of the bytes. */
  stop(): void {
    this.#bytes = NOTHING;
    this.#at = 0;
  }

  /** Bytes that no input has taken yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next `size` bytes. `problem` must have found none. */
  take(size: number): Uint8Array {
    const from = this.#at;
    this.#at += size;
    return this.#bytes.subarray(from, this.#at);
  }

  /** Why so many bytes cannot be taken; empty when they can. */
  problem(size: number): string {
    if (!this.#stated) {
      return '"binary_data_size" needs the header field Inference-Header-Content-Length, which says where the JSON ends';
    }
    return size <= this.left ? '' : `"binary_data_size" is ${size}, but the body has only ${this.left} more bytes`;
  }
}
