import { createHash, type Hash, hash } from 'node:crypto';

// A request of a few kilobytes is gathered and digested in one call: 0.6 µs for 512 bytes against 0.85 with a hash object, and one
// update a field costs more. What does not fit goes to a hash object as it is, without a copy.
const SCRATCH_BYTES = 16_384;
const NUMBER_BYTES = 8;

/**
 * SHA-256 over a sequence of fields, each with its length before it, so that no two sequences look alike: ("ab", "c") is not ("a", "bc").
 * One sequence at a time: begin, fields, end.
 */
export class FieldDigest {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #at = 0;
  #hash: Hash | null = null;

  begin(): void {
    this.#at = 0;
    this.#hash = null;
  }

  /** @hot As a double: exact for every count and dimension, and different for every different number. */
  number(value: number): void {
    this.#makeRoom(NUMBER_BYTES);
    // -0 is made 0: the two compare equal everywhere else.
    this.#at = this.#scratch.writeDoubleLE(value + 0, this.#at);
  }

  /** @hot As UTF-16: UTF-8 would write every lone surrogate as the same three bytes, and two names would become one. */
  text(value: string): void {
    this.number(value.length);
    const size = value.length * 2;
    if (size > SCRATCH_BYTES) this.#flush().update(value, 'utf16le');
    else {
      this.#makeRoom(size);
      this.#at += this.#scratch.write(value, this.#at, 'utf16le');
    }
  }

  /** @hot */
  bytes(value: Uint8Array): void {
    this.number(value.length);
    if (value.length > SCRATCH_BYTES - this.#at) this.#flush().update(value);
    else {
      this.#scratch.set(value, this.#at);
      this.#at += value.length;
    }
  }

  /** @hot The digest in base64. */
  end(): string {
    if (this.#hash === null) return hash('sha256', this.#scratch.subarray(0, this.#at), 'base64');
    return this.#flush().digest('base64');
  }

  #makeRoom(size: number): void {
    if (size > SCRATCH_BYTES - this.#at) this.#flush();
  }

  #flush(): Hash {
    this.#hash ??= createHash('sha256');
    this.#hash.update(this.#scratch.subarray(0, this.#at));
    this.#at = 0;
    return this.#hash;
  }
}
