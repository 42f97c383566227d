import { BACKSLASH, MINUS, NINE, QUOTE, ZERO } from './ascii.ts';
import { ByteWriter } from './byte-writer.ts';
import { unescapeInto } from './escapes.ts';

/** Digits from which on a whole number may be an account or a card rather than a quantity. */
const LONG_NUMBER = 12;

/**
 * The texts inside a JSON text, for those who have to read or change them: every string, keys among them, without its escapes, and every
 * whole number of twelve digits or more. The JSON text has been checked.
 */
export class JsonTexts {
  /** What they say, in order. */
  readonly texts: Uint8Array[] = [];
  readonly #json: Uint8Array;
  /** Where each token begins and ends, quotes included. */
  readonly #spans: number[] = [];

  constructor(json: Uint8Array) {
    this.#json = json;
    for (let at = 0; at < json.length; ) {
      const byte = json[at]!;
      if (byte === QUOTE) at = this.#string(at);
      else if (byte === MINUS || isDigit(byte)) at = this.#number(at);
      else at++;
    }
  }

  /** The JSON text with `texts` in the place of its own: what differs becomes a string, all else stays as it was written. */
  replaced(texts: readonly Uint8Array[]): Uint8Array {
    const pieces: Uint8Array[] = [];
    let kept = 0;
    for (let i = 0; i < this.texts.length; i++) {
      if (Buffer.compare(texts[i]!, this.texts[i]!) === 0) continue;
      const writer = new ByteWriter(texts[i]!.length + 2);
      writer.string(texts[i]!, 0, texts[i]!.length);
      pieces.push(this.#json.subarray(kept, this.#spans[2 * i]!), ...writer.pieces());
      kept = this.#spans[2 * i + 1]!;
    }
    pieces.push(this.#json.subarray(kept));
    return Buffer.concat(pieces);
  }

  #string(from: number): number {
    const json = this.#json;
    let escaped = false;
    let at = from + 1;
    for (; json[at] !== QUOTE; at++) {
      if (json[at] !== BACKSLASH) continue;
      escaped = true;
      at++;
    }
    this.#note(from, at + 1, escaped ? unescaped(json, from + 1, at) : json.subarray(from + 1, at));
    return at + 1;
  }

  #number(from: number): number {
    const json = this.#json;
    let at = from + 1;
    while (isDigit(json[at] ?? 0)) at++;
    const digitsEnd = at;
    while (isNumberPart(json[at] ?? 0)) at++;
    const first = json[from] === MINUS ? from + 1 : from;
    if (at === digitsEnd && at - first >= LONG_NUMBER) this.#note(from, at, json.subarray(from, at));
    return at;
  }

  #note(from: number, to: number, text: Uint8Array): void {
    this.#spans.push(from, to);
    this.texts.push(text);
  }
}

function unescaped(json: Uint8Array, from: number, to: number): Uint8Array {
  const plain = Buffer.allocUnsafe(to - from);
  return plain.subarray(0, unescapeInto(json, from, to, plain, 0));
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

/** What may follow the digits of a number that is not whole: `.`, `e`, `E`, signs and more digits. */
const isNumberPart = (byte: number): boolean =>
  isDigit(byte) || byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === MINUS;
