/** A power of two. */
const PLACES = 4_096;
/** Longer texts are ids and the like, which do not come twice. */
const MAX_BYTES = 48;
/** FNV-1a, 32 bit (http://www.isthe.com/chongo/tech/comp/fnv/). */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The last short ASCII texts that were read, each in the place that its bytes decide: names of models, tensors and datatypes come again and
 * again. One that is known costs a comparison in place of a call out of the engine, and is the same string each time, whose hash is known.
 */
export class TextMemo {
  readonly #texts: string[] = new Array<string>(PLACES).fill('');

  /** Null where the bytes are not all ASCII, or too many. @hot */
  read(bytes: Buffer, from: number, to: number): string | null {
    if (to - from > MAX_BYTES) return null;
    let hash = FNV_BASIS;
    let any = 0;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      any |= byte;
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    }
    if (any > 0x7f) return null;
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1);
    const known = this.#texts[place]!;
    if (isSame(known, bytes, from, to)) return known;
    const text = bytes.toString('latin1', from, to);
    this.#texts[place] = text;
    return text;
  }
}

function isSame(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
