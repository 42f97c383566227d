import { putBytes } from '../../core/put-bytes.ts';

/** Short messages share one; long enough for some fifty of them, short enough that one that is kept keeps little else. */
const SLAB_BYTES = 8_192;
/** Longer texts are not looked through for what is no ASCII: a call out of the engine writes them faster. */
const SHORT_TEXT = 48;
const MAX_VARINT_BYTES = 10;
const SEVEN_BITS = 0x80;
const HALF = 0x1_0000_0000;

/**
 * Writes protobuf fields into a slab, one message behind another, and gives each out as a view on the slab: nothing is copied, and what was
 * given out is never written to again. A writer that links an object for each value, as packages have it, spends three times as long on the
 * heads of tensors.
 */
export class FieldWriter {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where this message begins. */
  #start = 0;
  #at = 0;
  /** Where the contents of each open sub-message begin, the outermost first; one byte before is kept for its length. */
  readonly #open: number[] = [];

  /** Bytes written so far. */
  get len(): number {
    return this.#at - this.#start;
  }

  /** A varint of 32 bits: tags, lengths, enums. */
  uint32(value: number): this {
    this.#room(MAX_VARINT_BYTES);
    this.#varint(value);
    return this;
  }

  /** A whole number from 0, exact in a double. */
  uint64(value: number): this {
    return this.int64(value);
  }

  /** A whole number, exact in a double, or its two halves. */
  int64(value: number | { readonly low: number; readonly high: number }): this {
    this.#room(MAX_VARINT_BYTES);
    if (typeof value === 'number') {
      if (value >= 0 && value < HALF) this.#varint(value);
      else this.#long(value >>> 0, Math.floor(value / HALF) >>> 0);
    } else this.#long(value.low >>> 0, value.high >>> 0);
    return this;
  }

  bool(value: boolean): this {
    this.#room(1);
    this.#bytes[this.#at++] = value ? 1 : 0;
    return this;
  }

  double(value: number): this {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    return this;
  }

  /** Length and bytes. @hot */
  bytes(value: Uint8Array): this {
    const size = value.length;
    this.#room(MAX_VARINT_BYTES + size);
    this.#varint(size);
    this.#at = putBytes(this.#bytes, this.#at, value);
    return this;
  }

  /** Length and UTF-8; half a surrogate pair becomes U+FFFD. @hot */
  string(value: string): this {
    const { length } = value;
    this.#room(MAX_VARINT_BYTES + length * 3);
    if (length <= SHORT_TEXT && this.#ascii(value)) return this;
    this.#varint(Buffer.byteLength(value, 'utf8'));
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
    return this;
  }

  /** Opens a sub-message, behind its tag. */
  fork(): this {
    this.#room(1);
    this.#open.push(++this.#at);
    return this;
  }

  /** Closes the sub-message that was opened last. */
  ldelim(): this {
    // Before anything is remembered by its place, since all may move.
    this.#room(MAX_VARINT_BYTES);
    const start = this.#open.pop()!;
    const size = this.#at - start;
    if (size < SEVEN_BITS) {
      this.#bytes[start - 1] = size;
      return this;
    }
    // Its length takes more than the one byte that was kept.
    let more = 0;
    for (let rest = size; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) more++;
    this.#bytes.copyWithin(start + more, start, this.#at);
    this.#at = start - 1;
    this.#varint(size);
    this.#at += size;
    return this;
  }

  /** All that was written, in bytes that stay as they are; the writer is empty afterwards. */
  finish(): Buffer {
    const whole = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    // Setting a length is a call out of the engine, and nearly never needed.
    if (this.#open.length > 0) this.#open.length = 0;
    // A slab that was made for one message has no room for another.
    if (this.#bytes.length > SLAB_BYTES) this.#change(SLAB_BYTES);
    return whole;
  }

  /** False, with nothing written, where it is not all ASCII. */
  #ascii(value: string): boolean {
    const bytes = this.#bytes;
    const { length } = value;
    const at = this.#at + 1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= SEVEN_BITS) return false;
      bytes[at + i] = code;
    }
    bytes[at - 1] = length;
    this.#at = at + length;
    return true;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= SEVEN_BITS) {
      bytes[this.#at++] = (rest & 0x7f) | SEVEN_BITS;
      rest = rest > 0x7fff_ffff ? Math.floor(rest / SEVEN_BITS) : rest >>> 7;
    }
    bytes[this.#at++] = rest;
  }

  #long(low: number, high: number): void {
    const bytes = this.#bytes;
    let rest = low;
    let above = high;
    while (above > 0 || rest >= SEVEN_BITS) {
      bytes[this.#at++] = (rest & 0x7f) | SEVEN_BITS;
      rest = ((rest >>> 7) | (above << 25)) >>> 0;
      above >>>= 7;
    }
    bytes[this.#at++] = rest;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const needed = this.len + more;
    this.#change(needed <= SLAB_BYTES ? SLAB_BYTES : Math.max(needed, this.len * 2));
  }

  /** Goes on in another slab, with what there is of this message. */
  #change(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(bytes, 0, this.#start, this.#at);
    for (let i = 0; i < this.#open.length; i++) this.#open[i]! -= this.#start;
    this.#bytes = bytes;
    this.#at -= this.#start;
    this.#start = 0;
  }
}
