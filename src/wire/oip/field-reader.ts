import { isUtf8 } from 'node:buffer';
import { TextMemo } from './text-memo.ts';

const memo = new TextMemo();

// What the readers that are at work have entered, the innermost last. One stack for all: a message is read in one go, and whoever begins
// another in the middle of it ends that before it goes on.
const outerEnds: number[] = [];
const outerMessages: string[] = [];
let depth = 0;

/**
 * Reads protobuf fields from bytes that nobody vouches for. It never throws and never looks outside the message it is in: the first
 * fault is kept in `problem`, and from then on every read ends at once. Stricter than the format asks for: no groups, no tag or length
 * past 32 bits, no broken UTF-8, no singular field twice. Packages' readers take all of these and clip or overwrite.
 */
export class FieldReader {
  /** Why the bytes are refused; empty while they are fine. */
  problem = '';
  /** Number and wire type of the field that `next` found. */
  field = 0;
  wireType = 0;
  /** Halves of the last varint, each unsigned. */
  low = 0;
  high = 0;
  readonly #bytes: Buffer;
  #fieldsLeft: number;
  #at = 0;
  #end: number;
  #message: string;

  /** Fields cost time one by one, also those that are passed over: at most `maxFields` are read, sub-messages' included. */
  constructor(bytes: Uint8Array, message: string, maxFields: number = MAX_FIELDS) {
    this.#fieldsLeft = maxFields;
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
    this.#message = message;
  }

  /** Moves to the next field of this message; false at its end or when something is wrong. */
  next(): boolean {
    if (!this.more() || !this.varint()) return false;
    if (this.#fieldsLeft-- === 0) return this.fail('the message has more fields than are read');
    const wireType = this.low & 7;
    this.field = this.low >>> 3;
    this.wireType = wireType;
    if (this.high !== 0 || this.field === 0) return this.fail('expected a field number from 1 to 536870911');
    if (wireType === 3 || wireType === 4) return this.fail(`field ${this.field} is a group, which is not taken`);
    if (wireType > 5) return this.fail(`field ${this.field} has wire type ${wireType}, which does not exist`);
    return true;
  }

  /** Whether bytes are left in this message or packed field. */
  more(): boolean {
    return this.#at < this.#end && this.problem === '';
  }

  /** Notes the first problem and stops all reading. Always false. */
  fail(problem: string): false {
    if (this.problem === '') this.problem = `${this.#message}, byte ${this.#at}: ${problem}.`;
    this.#at = this.#end;
    return false;
  }

  /** `seen` with this field added; a singular field that came before is refused, or two readers would disagree on which one counts. */
  once(seen: number): number {
    const bit = 1 << this.field;
    if ((seen & bit) !== 0) this.fail(`field ${this.field} comes twice, expected it once`);
    return seen | bit;
  }

  /** Takes over what another reader found wrong with a part of this message. */
  adopt(problem: string): void {
    if (this.problem === '') this.problem = problem;
    this.#at = this.#end;
  }

  expect(wireType: number): boolean {
    if (this.wireType === wireType) return true;
    return this.fail(`field ${this.field} has wire type ${this.wireType}, expected ${wireType}`);
  }

  /** Goes into the sub-message, or packed field, that `next` found; `leave` comes back. */
  enter(message: string): void {
    const length = this.expect(WireType.Bytes) ? this.#length() : 0;
    outerEnds[depth] = this.#end;
    outerMessages[depth++] = this.#message;
    this.#end = this.#at + length;
    this.#message = message;
  }

  leave(): void {
    this.#end = outerEnds[--depth]!;
    this.#message = outerMessages[depth]!;
  }

  /** Passes over the field that `next` found. */
  skip(): void {
    if (this.wireType === WireType.Varint) this.varint();
    else if (this.wireType === WireType.Fixed64) this.#take(8);
    else if (this.wireType === WireType.Fixed32) this.#take(4);
    else this.#take(this.#length());
  }

  /** A view on a length-delimited field; the bytes stay where they are. */
  view(): Uint8Array {
    const size = this.expect(WireType.Bytes) ? this.#length() : 0;
    return this.#viewOf(size);
  }

  /** Passes over a length-delimited field. Returns how many bytes it has. */
  viewSize(): number {
    const size = this.expect(WireType.Bytes) ? this.#length() : 0;
    return this.#take(size) < 0 ? 0 : size;
  }

  /** Copies a length-delimited field to `at` in `target`, which must have room. Returns how many bytes it has. A view on each costs thrice as much. */
  copyTo(target: Buffer, at: number): number {
    const size = this.expect(WireType.Bytes) ? this.#length() : 0;
    const from = this.#take(size);
    if (from < 0) return 0;
    const bytes = this.#bytes;
    if (size > SHORT_COPY) bytes.copy(target, at, from, from + size);
    else for (let i = 0; i < size; i++) target[at + i] = bytes[from + i]!;
    return size;
  }

  /** A view on a field of four or eight bytes, whichever `wireType` says. */
  fixedView(wireType: typeof WireType.Fixed32 | typeof WireType.Fixed64): Uint8Array {
    return this.#viewOf(this.expect(wireType) ? FIXED_BYTES[wireType] : 0);
  }

  /** A string of valid UTF-8 and at most `maxBytes`. */
  text(maxBytes: number): string {
    const size = this.expect(WireType.Bytes) ? this.#length() : 0;
    if (size > maxBytes) {
      this.fail(`field ${this.field} is a string of ${size} bytes, at most ${maxBytes} are taken`);
      return '';
    }
    const start = this.#take(size);
    return size === 0 || start < 0 ? '' : this.#decodeText(start, start + size);
  }

  bool(): boolean {
    return this.expect(WireType.Varint) && this.varint() && (this.low !== 0 || this.high !== 0);
  }

  /** A signed 64-bit varint: a number while that is exact, a bigint past it. */
  signed(): number | bigint {
    if (!this.varint()) return 0;
    const high = this.high | 0;
    const value = high * 0x1_0000_0000 + this.low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(this.low);
  }

  /** An unsigned 64-bit varint: a number while that is exact, a bigint past it. */
  unsigned(): number | bigint {
    if (!this.varint()) return 0;
    const value = this.high * 0x1_0000_0000 + this.low;
    return Number.isSafeInteger(value) ? value : (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  double(): number {
    const at = this.expect(WireType.Fixed64) ? this.#take(8) : -1;
    return at < 0 ? 0 : this.#bytes.readDoubleLE(at);
  }

  /** Reads up to ten bytes into `low` and `high`. False when they are cut short or hold more than 64 bits. @hot */
  varint(): boolean {
    const at = this.#at;
    const first = at < this.#end ? this.#bytes[at]! : 0x80;
    // Nearly all tags, and most lengths and numbers, are one byte: the loop would take three times as long for them.
    if (first < 0x80) {
      this.#at = at + 1;
      this.low = first;
      this.high = 0;
      return true;
    }
    return this.#longVarint();
  }

  #longVarint(): boolean {
    let low = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.#at >= this.#end) return this.fail('the bytes end inside a number');
      const byte = this.#bytes[this.#at++]!;
      const seven = byte & 0x7f;
      if (i < 4) low |= seven << (7 * i);
      else if (i === 4) {
        low |= seven << 28;
        high = seven >>> 4;
      } else high |= seven << (7 * i - 32);
      // The tenth byte has room for the 64th bit alone.
      if (i === MAX_VARINT_BYTES - 1 && byte > 1) break;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return true;
      }
    }
    return this.fail('a number is longer than 64 bits');
  }

  #length(): number {
    if (!this.varint()) return 0;
    const left = this.#end - this.#at;
    if (this.high === 0 && this.low <= left) return this.low;
    this.fail(`field ${this.field} states ${this.high * 0x1_0000_0000 + this.low} bytes, ${left} are left`);
    return 0;
  }

  #viewOf(size: number): Uint8Array {
    const at = this.#take(size);
    return at < 0 ? NOTHING : new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, size);
  }

  #take(size: number): number {
    if (this.problem !== '') return -1;
    const at = this.#at;
    if (size > this.#end - at) {
      this.fail(`field ${this.field} takes ${size} bytes, ${this.#end - at} are left`);
      return -1;
    }
    this.#at = at + size;
    return at;
  }

  #decodeText(start: number, end: number): string {
    const bytes = this.#bytes;
    const known = memo.read(bytes, start, end);
    if (known !== null) return known;
    let at = start;
    while (at < end && bytes[at]! < 0x80) at++;
    if (at === end) return bytes.toString('latin1', start, end);
    if (isUtf8(bytes.subarray(start, end))) return bytes.toString('utf8', start, end);
    this.fail(`field ${this.field} is not valid UTF-8`);
    return '';
  }
}

export const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

/** Names, versions and ids: far above anything sensible, far below what would hurt. */
export const MAX_TEXT_BYTES = 4_096;

/** A request has a few fields for each of at most a thousand tensors; reading so many takes about a millisecond. */
const MAX_FIELDS = 65_536;
/** Bytes up to which a loop is faster than a call out of the engine. */
const SHORT_COPY = 32;

const FIXED_BYTES = { [WireType.Fixed32]: 4, [WireType.Fixed64]: 8 } as const;
const MAX_VARINT_BYTES = 10;
const NOTHING = new Uint8Array(0);
const MAX_QUOTED = 64;

/** A caller's text as it may stand in a message: short, on one line, never half a surrogate pair. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
