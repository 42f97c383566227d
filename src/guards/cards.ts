/** Finds payment card numbers in plain text. */

const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
/** Digits with a space or dash between any two of them. */
const LENGTH_MAX = 2 * DIGITS_MAX - 1;
const DOT = 0x2e;
/** How cards print their number, longest first; one unbroken group comes besides. */
const PRINTED: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
];

/**
 * Spans of card numbers: start, end, start, end … in ascending order, none overlapping another. A card number is 13 to 19 digits, alone or
 * with single spaces or dashes between them, whose check digit (Luhn) is right and whose first digit is not 0.
 *
 * Digits in groups with single separators form a row. A row that is a card number as a whole is one. In any other row ("order 12,
 * 4111 1111 1111 1111") only an unbroken group or a printed layout counts, or every tenth stretch of a table of numbers would be one.
 * What remains of the row on either side is judged once more as a row, since that is what it becomes by redacting.
 *
 * Each group is the start of six candidates of at most 37 characters, so time is linear.
 */
export function findCards(text: string): number[] {
  const spans: number[] = [];
  const groups: number[] = [];
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text, at)) {
      at++;
      continue;
    }
    const taken = spans.length === 0 ? -1 : spans[spans.length - 1]!;
    const isFraction = isDecimalPoint(text, at - 1, taken);
    at = readRow(text, at, groups, isFraction);
    findInRow(text, groups, spans);
  }
  return spans;
}

/** The digits behind a decimal point are no card number, or every tenth long fraction would be one. A point behind a card is none. */
function isDecimalPoint(text: string, at: number, taken: number): boolean {
  return at > 0 && text.charCodeAt(at) === DOT && isDigit(text, at - 1) && at !== taken;
}

/** Reads the row that starts at `from` into `groups` as start, end, start, end …; returns where it ends. */
function readRow(text: string, from: number, groups: number[], skipFirst: boolean): number {
  groups.length = 0;
  let start = from;
  for (;;) {
    let end = start;
    while (isDigit(text, end)) end++;
    if (start > from || !skipFirst) groups.push(start, end);
    if (!isSeparator(text, end) || !isDigit(text, end + 1)) return end;
    start = end + 1;
  }
}

function findInRow(text: string, groups: readonly number[], spans: number[]): void {
  if (takeWhole(text, groups, 0, groups.length, spans)) return;
  let rest = 0;
  let i = 0;
  while (i < groups.length) {
    const next = cardFrom(text, groups, i);
    if (next === i) {
      i += 2;
      continue;
    }
    takeWhole(text, groups, rest, i, spans);
    spans.push(groups[i]!, groups[next - 1]!);
    rest = next;
    i = next;
  }
  if (rest > 0) takeWhole(text, groups, rest, groups.length, spans);
}

/** Takes the groups from `from` up to `to` as one card number, if they are one. */
function takeWhole(text: string, groups: readonly number[], from: number, to: number, spans: number[]): boolean {
  if (from >= to) return false;
  const start = groups[from]!;
  const end = groups[to - 1]!;
  if (!isCard(text, start, end)) return false;
  spans.push(start, end);
  return true;
}

/** Index behind the groups of the card number that starts with group `from`; `from` itself when none does. */
function cardFrom(text: string, groups: readonly number[], from: number): number {
  const start = groups[from]!;
  if (isCard(text, start, groups[from + 1]!)) return from + 2;
  if (!startsLikeCard(text, start)) return from;
  for (let i = 0; i < PRINTED.length; i++) {
    const to = from + 2 * PRINTED[i]!.length;
    if (hasLayout(groups, from, PRINTED[i]!) && isCard(text, start, groups[to - 1]!)) return to;
  }
  return from;
}

function hasLayout(groups: readonly number[], from: number, layout: readonly number[]): boolean {
  if (from + 2 * layout.length > groups.length) return false;
  for (let i = 0; i < layout.length; i++) {
    const at = from + 2 * i;
    if (groups[at + 1]! - groups[at]! !== layout[i]) return false;
  }
  return true;
}

/** Whether the first four digits lie in a range of card issuers: 3 to 6, or 2221 to 2720. Keeps rows of years out. */
function startsLikeCard(text: string, start: number): boolean {
  const first = digit(text, start);
  if (first !== 2) return first >= 3 && first <= 6;
  const four = 2000 + digit(text, start + 1) * 100 + digit(text, start + 2) * 10 + digit(text, start + 3);
  return four >= 2221 && four <= 2720;
}

/** Whether the digits between `start` and `end` are in number and check digit those of a card. */
function isCard(text: string, start: number, end: number): boolean {
  if (end - start < DIGITS_MIN || end - start > LENGTH_MAX || digit(text, start) === 0) return false;
  let digits = 0;
  let sum = 0;
  for (let at = end - 1; at >= start; at--) {
    const value = digit(text, at);
    // A separator: space and dash lie below the digits.
    if (value < 0) continue;
    const weighted = (digits & 1) === 0 ? value : 2 * value;
    sum += weighted > 9 ? weighted - 9 : weighted;
    digits++;
  }
  return digits >= DIGITS_MIN && digits <= DIGITS_MAX && sum % 10 === 0;
}

function isDigit(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0x30 && unit <= 0x39;
}

function isSeparator(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 0x20 || unit === 0x2d;
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}
