import { isUtf8 } from 'node:buffer';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  LINE_FEED,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  RETURN,
  SPACE,
  TAB,
} from './ascii.ts';
import { escapeBytes, LONE_SURROGATE, unescapeInto } from './escapes.ts';
import { quoted } from './message-text.ts';
import type { NameTable } from './name-table.ts';
import { NumberToken } from './number-token.ts';
import { utf8FaultAt } from './utf8.ts';

const NOTHING = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));
const ARRAY = -1;
const MAX_STRANGERS = 64;
const MAX_SKIPPED_KEYS = 1_024;

/** What `nextKey` says of a key that is not in the table. */
export const STRANGER = -1;
/** What `nextKey` says when the object has ended or the cursor has failed. */
export const NO_KEY = -2;

/**
 * Walks over the bytes of one JSON text, strictly by RFC 8259, and builds no values. Made once and used for one text after another.
 * The first fault stops it for good: from then on it is at its end, and every question is answered with no.
 */
export class JsonCursor {
  bytes: Buffer = NOTHING;
  /** The same bytes, for reading several at once. */
  view: DataView = NO_VIEW;
  at = 0;
  end = 0;
  depth = 0;
  readonly maxDepth: number;
  /** Why the text is refused; empty while it is not. */
  fault = '';
  /** The number that was read last. */
  readonly number = new NumberToken();
  /** The string that was read last, without its quotes. */
  stringFrom = 0;
  stringTo = 0;
  escaped = false;
  #ascii = true;
  /** Just behind an opening bracket, where no comma is due. */
  #fresh = false;
  /** By depth: ARRAY, or the keys seen of an object: a bit for each known one, or a count where the object is skipped. */
  readonly #frames: Int32Array;
  readonly #strangers: (Set<string> | null)[];

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth;
    this.#frames = new Int32Array(maxDepth + 1);
    this.#strangers = new Array<Set<string> | null>(maxDepth + 1).fill(null);
  }

  /** Begins a text. False when it is not UTF-8. */
  start(text: Uint8Array): boolean {
    this.bytes = Buffer.isBuffer(text) ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    this.view = new DataView(text.buffer, text.byteOffset, text.byteLength);
    this.at = 0;
    this.end = text.length;
    this.depth = 0;
    this.fault = '';
    this.#fresh = false;
    return isUtf8(this.bytes) || this.fail('the text is not UTF-8', utf8FaultAt(this.bytes));
  }

  /** Goes back to the beginning of a value that was looked at, with `at` and `depth` as they were there. Not after a fault. */
  rewind(at: number, depth: number): void {
    this.at = at;
    this.depth = depth;
    this.#fresh = false;
  }

  /** Lets go of the text. */
  stop(): void {
    this.bytes = NOTHING;
    this.view = NO_VIEW;
    this.#strangers.fill(null);
    this.at = 0;
    this.end = 0;
  }

  /** The next byte that is not white space, or -1 at the end. */
  peek(): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > SPACE || (byte !== SPACE && byte !== LINE_FEED && byte !== RETURN && byte !== TAB)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return -1;
  }

  openObject(): boolean {
    return this.peek() === OPEN_OBJECT ? this.#open(0) : this.expected('an object');
  }

  openArray(): boolean {
    return this.peek() === OPEN_ARRAY ? this.#open(ARRAY) : this.expected('an array');
  }

  /** Whether the innermost open bracket is an array's. */
  get inArray(): boolean {
    return this.#frames[this.depth] === ARRAY;
  }

  /** Goes to the next element of the open array. False when it has ended, which closes it, or the cursor has failed. */
  nextElement(): boolean {
    const byte = this.peek();
    if (byte === COMMA && !this.#fresh) {
      this.at++;
      return true;
    }
    if (byte === CLOSE_ARRAY) return this.#close();
    if (!this.#fresh) return this.expected('"," or "]"');
    this.#fresh = false;
    return true;
  }

  /**
   * Goes to the value of the next key in the open object. Its index in `names`, STRANGER, or NO_KEY when the object has ended, which
   * closes it, or the cursor has failed. No key may come twice. Null instead of names is for objects that are skipped: their keys are
   * counted only.
   */
  nextKey(names: NameTable | null): number {
    const byte = this.peek();
    if (byte === CLOSE_OBJECT) {
      this.#close();
      return NO_KEY;
    }
    if (!this.#fresh) {
      if (byte !== COMMA) return this.#noKey('"," or "}"');
      this.at++;
    }
    this.#fresh = false;
    if (this.peek() !== QUOTE) return this.#noKey('a key');
    if (!this.scanString()) return NO_KEY;
    const key = names === null ? this.#skippedKey() : this.#key(names);
    if (this.peek() !== COLON) return this.#noKey('":"');
    this.at++;
    return key;
  }

  /** Reads the string at the cursor, which `peek` has shown to begin with a quote, into `stringFrom` and `stringTo`. */
  scanString(): boolean {
    const bytes = this.bytes;
    const end = this.end;
    let at = this.at + 1;
    let escaped = false;
    let bits = 0;
    this.stringFrom = at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.stringTo = at;
        this.at = at + 1;
        this.escaped = escaped;
        this.#ascii = bits < 0x80;
        return true;
      }
      if (byte === BACKSLASH) {
        const length = escapeBytes(bytes, at, end);
        if (length === LONE_SURROGATE) return this.fail('a string holds half a surrogate pair', at);
        if (length === 0) return this.fail('a string holds an unknown escape', at);
        escaped = true;
        at += length;
        continue;
      }
      if (byte < SPACE) return this.fail('a string holds a control character', at);
      bits |= byte;
      at++;
    }
    return this.fail('a string has no end', this.stringFrom - 1);
  }

  /** The string that was read last. */
  text(): string {
    const { bytes, stringFrom, stringTo } = this;
    if (this.escaped) {
      const plain = Buffer.allocUnsafe(stringTo - stringFrom);
      return plain.toString('utf8', 0, unescapeInto(bytes, stringFrom, stringTo, plain, 0));
    }
    return bytes.toString(this.#ascii ? 'latin1' : 'utf8', stringFrom, stringTo);
  }

  /** Passes over `word`, as in `true`. False leaves the cursor where it is and is no fault. */
  literal(word: string): boolean {
    if (this.at + word.length > this.end) return false;
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.at + i] !== word.charCodeAt(i)) return false;
    }
    this.at += word.length;
    return true;
  }

  /** Whether the text ends here, as it should. */
  finish(): boolean {
    return this.fault === '' && (this.peek() === -1 || this.expected('nothing more'));
  }

  /** Stops the cursor: `fault at byte N`. Always false. */
  fail(fault: string, at: number): boolean {
    return this.refuse(`${fault} at byte ${at}`);
  }

  /** Stops the cursor for a reason that lies in no single byte. Always false. */
  refuse(fault: string): boolean {
    if (this.fault === '') this.fault = fault;
    this.at = this.end;
    return false;
  }

  /** Stops the cursor: something else should stand here. Always false. */
  expected(what: string): boolean {
    return this.fail(`expected ${what}, found ${this.#found()}`, this.at);
  }

  /** Stops the cursor: one bracket too many is open. Always false. */
  tooDeep(at: number): boolean {
    return this.fail(`nested deeper than ${this.maxDepth} levels`, at);
  }

  #open(frame: number): boolean {
    if (this.depth === this.maxDepth) return this.tooDeep(this.at);
    this.at++;
    this.depth++;
    this.#frames[this.depth] = frame;
    this.#fresh = true;
    this.#strangers[this.depth] = null;
    return true;
  }

  #close(): false {
    this.at++;
    this.depth--;
    this.#fresh = false;
    return false;
  }

  #noKey(wanted: string): number {
    this.expected(wanted);
    return NO_KEY;
  }

  #key(names: NameTable): number {
    const known = this.escaped ? names.names.indexOf(this.text()) : names.find(this.bytes, this.stringFrom, this.stringTo);
    if (known === -1) return this.#stranger();
    const bit = 1 << known;
    if ((this.#frames[this.depth]! & bit) !== 0) {
      this.fail(`key ${quoted(names.names[known]!)} comes twice`, this.stringFrom - 1);
      return NO_KEY;
    }
    this.#frames[this.depth]! |= bit;
    return known;
  }

  #stranger(): number {
    const name = this.text();
    const seen = this.#strangers[this.depth] ?? new Set<string>();
    if (seen.has(name)) this.fail(`key ${quoted(name)} comes twice`, this.stringFrom - 1);
    else if (seen.size === MAX_STRANGERS) this.fail(`more than ${MAX_STRANGERS} unknown keys in an object`, this.stringFrom - 1);
    seen.add(name);
    this.#strangers[this.depth] = seen;
    return this.fault === '' ? STRANGER : NO_KEY;
  }

  #skippedKey(): number {
    const keys = ++this.#frames[this.depth]!;
    if (keys <= MAX_SKIPPED_KEYS) return STRANGER;
    this.fail(`more than ${MAX_SKIPPED_KEYS} keys in an object`, this.stringFrom - 1);
    return NO_KEY;
  }

  #found(): string {
    if (this.at >= this.end) return 'the end';
    const byte = this.bytes[this.at]!;
    return byte > SPACE && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  }
}
