import { BACKSLASH, MINUS, QUOTE, SPACE, ZERO } from './ascii.ts';

const LEAST_CHUNK = 256;
const CHUNK = 65_536;
const MAX_ESCAPE = 6;
const HEX = '0123456789abcdef';
const SHORT_ESCAPES = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
]);

/**
 * Text that grows in chunks, so that a large answer is never copied to make room. Writers ask for `room` first and then write at `at` of
 * `chunk` themselves.
 */
export class ByteWriter {
  chunk: Buffer;
  at = 0;
  readonly #full: Uint8Array[] = [];

  /** `expected` bytes are likely; more are no problem. */
  constructor(expected: number) {
    this.chunk = Buffer.allocUnsafe(Math.min(Math.max(expected, LEAST_CHUNK), CHUNK));
  }

  /** Makes `bytes` fit behind `at`. */
  room(bytes: number): void {
    if (this.at + bytes > this.chunk.length) this.#next(bytes);
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    this.room(text.length * 3);
    this.at += this.chunk.write(text, this.at);
  }

  /** One byte. */
  byte(byte: number): void {
    this.room(1);
    this.chunk[this.at++] = byte;
  }

  /** A JSON string with the UTF-8 bytes of `source` between `from` and `to`. */
  string(source: Uint8Array, from: number, to: number): void {
    this.byte(QUOTE);
    for (let at = from; at < to; at++) {
      if (this.at + MAX_ESCAPE > this.chunk.length) this.#next(MAX_ESCAPE);
      const byte = source[at]!;
      if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) this.#escape(byte);
      else this.chunk[this.at++] = byte;
    }
    this.byte(QUOTE);
  }

  /** A whole number below 2^53 in size. */
  integer(value: number): void {
    this.room(20);
    let rest = value;
    if (rest < 0) {
      this.chunk[this.at++] = MINUS;
      rest = -rest;
    }
    if (rest >= 1e9) {
      const head = Math.floor(rest / 1e9);
      this.digits(head, digitsOf(head));
      this.digits(rest - head * 1e9, 9);
    } else this.digits(rest, digitsOf(rest));
  }

  /** The last `count` digits of a whole number below 10^9. Needs room. */
  digits(value: number, count: number): void {
    let rest = value | 0;
    for (let at = this.at + count - 1; at >= this.at; at--) {
      const tenth = (rest / 10) | 0;
      this.chunk[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.at += count;
  }

  /** Text that was written elsewhere, as it is. */
  splice(text: Uint8Array): void {
    if (this.at > 0) this.#full.push(this.chunk.subarray(0, this.at));
    this.chunk = this.chunk.subarray(this.at);
    this.at = 0;
    this.#full.push(text);
  }

  /** Everything that was written. The writer is done. */
  pieces(): readonly Uint8Array[] {
    this.#full.push(this.chunk.subarray(0, this.at));
    return this.#full;
  }

  #next(bytes: number): void {
    if (this.at > 0) this.#full.push(this.chunk.subarray(0, this.at));
    this.chunk = Buffer.allocUnsafeSlow(Math.max(bytes, CHUNK));
    this.at = 0;
  }

  #escape(byte: number): void {
    const short = SHORT_ESCAPES.get(byte);
    const text = short === undefined ? `\\u00${HEX[byte >> 4]}${HEX[byte & 15]}` : `\\${short}`;
    this.at += this.chunk.write(text, this.at, 'latin1');
  }
}

/** Decimal digits of a whole number from 0 to 10^9. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

/** A JSON string of any text. */
export function jsonString(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < SPACE || unit === QUOTE || unit === BACKSLASH || unit >= 0x7f) return JSON.stringify(text);
  }
  return `"${text}"`;
}
