import { codePointAfter, codePointBefore, wordBinding } from './characters.ts';

/** Finds e-mail addresses in plain text. */

const LOCAL_MARKS: ReadonlySet<number> = new Set(Array.from('._%+-', (mark) => mark.charCodeAt(0)));
const DOT = 0x2e;
const DASH = 0x2d;
const TOP_LEVEL_MIN = 2;
const PUNYCODE = 'xn--';

/**
 * Spans of addresses: start, end, start, end … in ascending order, none overlapping another. An address is letters, digits and `._%+-`
 * before the `@`, and behind it at least two labels, the last of which begins with two letters.
 *
 * Each `@` looks back and ahead to its neighbours at most, so every character is visited twice and time is linear.
 */
export function findEmails(text: string): number[] {
  const spans: number[] = [];
  let free = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at, free);
    if (start === at) continue;
    const end = domainEnd(text, at + 1);
    if (end === -1) continue;
    spans.push(start, end);
    free = end;
  }
  return spans;
}

/** Where the part before the `@` begins; `at` itself when there is none. */
function localStart(text: string, at: number, free: number): number {
  let start = at;
  while (start > free) {
    const codePoint = codePointBefore(text, start);
    if (!LOCAL_MARKS.has(codePoint) && !wordBinding.has(codePoint)) break;
    start -= codePoint >= 0x10000 ? 2 : 1;
  }
  while (start < at && text.charCodeAt(start) === DOT) start++;
  return start;
}

/** The end of the longest beginning of `text` from `from` on that can be a domain; -1 when there is none. */
function domainEnd(text: string, from: number): number {
  let end = -1;
  let label = from;
  for (;;) {
    const labelEnd = skipLabel(text, label);
    if (labelEnd === label) return end;
    if (label > from) end = Math.max(end, topLevelEnd(text, label, labelEnd));
    if (text.charCodeAt(labelEnd) !== DOT) return end;
    label = labelEnd + 1;
  }
}

function skipLabel(text: string, from: number): number {
  let at = from;
  for (;;) {
    const codePoint = codePointAfter(text, at);
    if (codePoint !== DASH && !wordBinding.has(codePoint)) return at;
    at += codePoint >= 0x10000 ? 2 : 1;
  }
}

/** The end of the letters that the label begins with, as in `com5` or `com-or`; -1 when they are too few for a top-level domain. */
function topLevelEnd(text: string, label: number, labelEnd: number): number {
  if (text.slice(label, label + PUNYCODE.length).toLowerCase() === PUNYCODE) return labelEnd;
  let at = label;
  while (at < labelEnd && isLetter(text.charCodeAt(at))) at++;
  return at - label >= TOP_LEVEL_MIN ? at : -1;
}

/** Everything in a label but digits and dashes. */
function isLetter(unit: number): boolean {
  return unit !== DASH && !(unit >= 0x30 && unit <= 0x39);
}
