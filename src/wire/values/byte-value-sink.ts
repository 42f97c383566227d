import { OPEN_OBJECT, QUOTE } from '../json/ascii.ts';
import { type JsonCursor, NO_KEY } from '../json/cursor.ts';
import { ElementSink } from '../json/element-sink.ts';
import { unescapeInto } from '../json/escapes.ts';
import { NameTable } from '../json/name-table.ts';

const PREFIX_BYTES = 4;
const FIRST_BYTES = 256;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** The one key of an object that stands for bytes: `{"b64": "aGk="}`. */
export const BASE64_KEY = new NameTable(['b64']);

/** BYTES elements: strings as UTF-8, or any bytes as `{"b64": "…"}`. Grows with what it takes, never past three times the JSON. */
export class ByteValueSink extends ElementSink {
  #data = Buffer.allocUnsafe(FIRST_BYTES);
  #used = 0;

  constructor() {
    super('BYTES', 'a string');
  }

  override bytes(): Uint8Array {
    return this.#data.subarray(0, this.#used);
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (byte === OPEN_OBJECT) return this.#putBase64(cursor, index);
    if (byte !== QUOTE) return this.wrongKind(cursor, byte, index);
    if (!cursor.scanString()) return false;
    const { bytes, stringFrom, stringTo } = cursor;
    const start = this.#room(stringTo - stringFrom);
    let end = start + stringTo - stringFrom;
    if (cursor.escaped) end = unescapeInto(bytes, stringFrom, stringTo, this.#data, start);
    else bytes.copy(this.#data, start, stringFrom, stringTo);
    return this.#close(start, end);
  }

  #putBase64(cursor: JsonCursor, index: number): boolean {
    const at = cursor.at;
    if (!cursor.openObject()) return false;
    if (cursor.nextKey(BASE64_KEY) !== 0 || cursor.peek() !== QUOTE) return this.#notBase64(cursor, index, at);
    if (!cursor.scanString()) return false;
    const text = cursor.text();
    const length = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
    // One digit of base64 holds six bits, so one left over is no byte; padding may be left out but not be wrong.
    const padded = length === text.length || text.length % 4 === 0;
    if (!BASE64.test(text) || length % 4 === 1 || !padded) return cursor.fail(`value ${index} is not base64`, at);
    const start = this.#room(text.length);
    const end = start + this.#data.write(text, start, 'base64');
    if (cursor.nextKey(BASE64_KEY) !== NO_KEY) return this.#notBase64(cursor, index, at);
    return cursor.fault === '' && this.#close(start, end);
  }

  #notBase64(cursor: JsonCursor, index: number, at: number): boolean {
    return cursor.fail(`value ${index} is an object, expected a string or {"b64": "…"} for BYTES`, at);
  }

  /** Makes room for an element of `bytes` bytes and says where it begins. */
  #room(bytes: number): number {
    const start = this.#used + PREFIX_BYTES;
    if (start + bytes > this.#data.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#data.length * 2, start + bytes));
      this.#data.copy(larger, 0, 0, this.#used);
      this.#data = larger;
    }
    return start;
  }

  #close(start: number, end: number): true {
    this.#data.writeUInt32LE(end - start, this.#used);
    this.#used = end;
    return true;
  }
}
