import { QUOTE } from './ascii.ts';
import type { JsonCursor } from './cursor.ts';
import { ElementSink } from './element-sink.ts';
import { unescapeInto } from './escapes.ts';

const PREFIX_BYTES = 4;
const SHORT_BYTES = 64;

/** BYTES elements: strings as UTF-8 behind their length. */
export class StringSink extends ElementSink {
  readonly #data: Buffer;
  #used = 0;

  /** `jsonBytes` is the length of the JSON that holds all elements. A string takes two quotes and a comma or bracket there, and four bytes here. */
  constructor(jsonBytes: number) {
    super('BYTES', 'a string');
    this.#data = Buffer.allocUnsafe(jsonBytes + Math.ceil(jsonBytes / 3));
  }

  override bytes(): Uint8Array {
    return this.#data.subarray(0, this.#used);
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (byte !== QUOTE) return this.wrongKind(cursor, byte, index);
    if (!cursor.scanString()) return false;
    const { bytes, stringFrom, stringTo } = cursor;
    const data = this.#data;
    const start = this.#used + PREFIX_BYTES;
    let end = start + stringTo - stringFrom;
    if (cursor.escaped) end = unescapeInto(bytes, stringFrom, stringTo, data, start);
    else if (end - start > SHORT_BYTES) bytes.copy(data, start, stringFrom, stringTo);
    else for (let at = start, from = stringFrom; at < end; ) data[at++] = bytes[from++]!;
    data.writeUInt32LE(end - start, this.#used);
    this.#used = end;
    return true;
  }
}
