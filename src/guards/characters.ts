/** What guards know about single characters: which cannot be seen, and which hold a word together. */

/** A set of code points given by a pattern. Answers for the first 65,536 are remembered, since a pattern costs 50 ns a test. */
export class CodePointSet {
  readonly #pattern: RegExp;
  /** By code point: 0 not asked yet, 1 outside, 2 inside. */
  readonly #known = new Uint8Array(0x10000);

  /** `pattern` matches one character, has no `g` flag, and is anchored by the string being one character long. */
  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  /** @hot */
  has(codePoint: number): boolean {
    if (codePoint >= 0x10000) return this.#pattern.test(String.fromCodePoint(codePoint));
    const known = this.#known[codePoint]!;
    if (known !== 0) return known === 2;
    const inside = this.#pattern.test(String.fromCharCode(codePoint));
    this.#known[codePoint] = inside ? 2 : 1;
    return inside;
  }
}

/**
 * Characters without a shape of their own: zero-width and bidi marks, variation selectors, tags, fillers, control characters,
 * and the replacement character that stands for bytes which were no UTF-8. White space is not among them.
 */
export const INVISIBLE = /[[\p{Default_Ignorable_Code_Point}\p{Cc}\uFFF9-\uFFFD]--[\t\n\v\f\r\x85]]/v;

/**
 * Letters, marks and digits of scripts that put spaces between words. Han, kana, Hangul with its particles and the scripts of
 * South-East Asia do not, so a phrase in them counts wherever it stands.
 */
const WORD_BINDING =
  /[[\p{L}\p{M}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]/v;

export const invisible = new CodePointSet(INVISIBLE);
export const wordBinding = new CodePointSet(WORD_BINDING);

/** The code point that ends before `at`; 0 at the start of the text. */
export function codePointBefore(text: string, at: number): number {
  if (at <= 0) return 0;
  const unit = text.charCodeAt(at - 1);
  const isLow = unit >= 0xdc00 && unit < 0xe000;
  if (!isLow || at < 2) return unit;
  const codePoint = text.codePointAt(at - 2)!;
  return codePoint >= 0x10000 ? codePoint : unit;
}

/** The code point that starts at `at`; 0 at the end of the text. */
export function codePointAfter(text: string, at: number): number {
  return at < text.length ? text.codePointAt(at)! : 0;
}

/** Whether no word goes on across `at`. */
export function isWordEdge(text: string, at: number): boolean {
  return !wordBinding.has(codePointBefore(text, at)) || !wordBinding.has(codePointAfter(text, at));
}
