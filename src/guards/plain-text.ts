import { invisible } from './characters.ts';

/** Text of ASCII look-alikes, with a way back to where each unit stood. */
export interface PlainText {
  readonly text: string;
  /** Where the unit began in the original text; null when both texts are the same. One more entry marks the end. */
  readonly starts: Uint32Array | null;
}

/** Nothing here is hidden or looks like something else. */
const PLAIN = /^[ -~\t\n\r]*$/;
const DASHES = /^[\p{Pd}\u2212]$/v;
const SPACES = /^\p{Zs}$/v;
const DIGIT = /^\p{Nd}$/v;
const ASCII_MAX = 0x7f;
/** The full stops that the domain name system accepts besides its own. */
const FULL_STOPS: ReadonlySet<number> = new Set([0x3002, 0xff61]);

/**
 * Replaces each character that stands for an ASCII one (full-width and mathematical forms, digits of other scripts, all dashes and
 * spaces) and leaves out what cannot be seen, so that scanners need to know ASCII only. Linear in the text.
 */
export function plainOf(original: string): PlainText {
  if (PLAIN.test(original)) return { text: original, starts: null };
  const units = new Uint16Array(original.length);
  const starts = new Uint32Array(original.length + 1);
  let size = 0;
  for (let at = 0; at < original.length; ) {
    const codePoint = original.codePointAt(at)!;
    const width = codePoint >= 0x10000 ? 2 : 1;
    if (!invisible.has(codePoint)) {
      const ascii = asciiOf(codePoint);
      starts[size] = at;
      units[size++] = ascii === 0 ? original.charCodeAt(at) : ascii;
      if (ascii === 0 && width === 2) {
        starts[size] = at + 1;
        units[size++] = original.charCodeAt(at + 1);
      }
    }
    at += width;
  }
  starts[size] = original.length;
  return { text: Buffer.from(units.buffer, 0, size * 2).toString('utf16le'), starts };
}

/** `original` with the ranges `spans` (start, end, start, end … in the plain text) replaced by `label`. */
export function replaceSpans(original: string, plain: PlainText, spans: readonly number[], label: string): string {
  const pieces: string[] = [];
  let kept = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i]!;
    const last = spans[i + 1]! - 1;
    pieces.push(original.slice(kept, plain.starts === null ? start : plain.starts[start]!), label);
    // Up to the end of the last character and not to the next one: hidden characters behind the span are none of its business.
    kept = plain.starts === null ? last + 1 : endOfCharacter(original, plain.starts[last]!);
  }
  pieces.push(original.slice(kept));
  return pieces.join('');
}

function endOfCharacter(text: string, at: number): number {
  return at + (text.codePointAt(at)! >= 0x10000 ? 2 : 1);
}

/** By code point: 0 not asked yet, 0xff none, else the ASCII character it stands for. */
const known = new Uint8Array(0x10000);

/** The ASCII character that `codePoint` stands for; 0 when there is none. */
function asciiOf(codePoint: number): number {
  if (codePoint <= ASCII_MAX) return codePoint;
  if (codePoint >= 0x10000) return findAscii(codePoint);
  if (known[codePoint] === 0) known[codePoint] = findAscii(codePoint) || 0xff;
  return known[codePoint] === 0xff ? 0 : known[codePoint]!;
}

function findAscii(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (DASHES.test(character)) return 0x2d;
  if (SPACES.test(character)) return 0x20;
  if (FULL_STOPS.has(codePoint)) return 0x2e;
  const compatible = character.normalize('NFKC');
  if (compatible.length === 1 && compatible.charCodeAt(0) <= ASCII_MAX) return compatible.charCodeAt(0);
  return DIGIT.test(character) ? 0x30 + digitValue(codePoint) : 0;
}

/** Decimal digits stand in rows of ten, zero first, so the value is the number of digits below. */
function digitValue(codePoint: number): number {
  let value = 0;
  while (value < 9 && DIGIT.test(String.fromCodePoint(codePoint - value - 1))) value++;
  return value;
}
