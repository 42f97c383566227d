import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  MINUS,
  NINE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  UPPER_I,
  UPPER_N,
  ZERO,
} from './ascii.ts';
import { type JsonCursor, NO_KEY } from './cursor.ts';
import { scanNumber } from './number-token.ts';

const WORD = 4;

/**
 * Passes over one value of any kind, checking it as strictly as one that is read. Returns how many strings, numbers and literals it holds,
 * or -1 on a fault. `tensorData` lets the bare words NaN, Infinity and -Infinity pass, which stand in tensor data alone.
 */
export function skipValue(cursor: JsonCursor, tensorData: boolean): number {
  const outside = cursor.depth;
  let leaves = 0;
  for (;;) {
    const byte = cursor.peek();
    if (byte === OPEN_OBJECT) {
      if (!cursor.openObject()) return -1;
    } else if (byte === OPEN_ARRAY) {
      if (!cursor.openArray()) return -1;
    } else {
      if (!skipLeaf(cursor, byte, tensorData)) return -1;
      leaves++;
    }
    // Steps to the next value, over all brackets that close here.
    for (;;) {
      if (cursor.depth === outside) return leaves;
      if (cursor.inArray ? cursor.nextElement() : cursor.nextKey(null) !== NO_KEY) break;
      if (cursor.fault !== '') return -1;
    }
  }
}

/** @hot As `passValue`, for an array alone. */
export function passArray(cursor: JsonCursor): boolean {
  return cursor.peek() === OPEN_ARRAY ? passValue(cursor) : cursor.expected('an array of values');
}

/**
 * @hot Passes over the value at the cursor, an array or object by its quotes and brackets alone, several times faster. Only for what is
 * read later: reading checks it, and ends at the same bracket.
 */
export function passValue(cursor: JsonCursor): boolean {
  const first = cursor.peek();
  if (first !== OPEN_ARRAY && first !== OPEN_OBJECT) return skipValue(cursor, true) !== -1;
  const { bytes, view, end } = cursor;
  const start = cursor.at;
  const room = cursor.maxDepth - cursor.depth;
  let depth = 0;
  let at = start;
  while (at < end) {
    while (at + WORD <= end && isDull(view.getInt32(at, true))) at += WORD;
    if (at === end) break;
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      cursor.at = at;
      if (!cursor.scanString()) return false;
      at = cursor.at;
      continue;
    }
    if (isOpening(byte) && ++depth > room) return cursor.tooDeep(at);
    at++;
    if (isClosing(byte) && --depth === 0) {
      cursor.at = at;
      return true;
    }
  }
  return cursor.fail(first === OPEN_ARRAY ? 'an array has no end' : 'an object has no end', start);
}

/**
 * @hot Passes over the rest of the open array, from the beginning of an element up to the bracket that closes it, as `passValue` does.
 * Returns how many elements there are, or -1 on a fault.
 */
export function passElements(cursor: JsonCursor): number {
  const { bytes, view, end } = cursor;
  const start = cursor.at;
  const room = cursor.maxDepth - cursor.depth;
  let depth = 0;
  let count = 1;
  let at = start;
  while (at < end) {
    for (; at + WORD <= end; at += WORD) {
      const word = view.getInt32(at, true);
      if (!isDull(word)) break;
      if (depth === 0) count += commasIn(word);
    }
    if (at === end) break;
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      cursor.at = at;
      if (!cursor.scanString()) return -1;
      at = cursor.at;
      continue;
    }
    if (byte === COMMA && depth === 0) count++;
    else if (isClosing(byte) && depth-- === 0) {
      cursor.at = at;
      return count;
    } else if (isOpening(byte) && ++depth > room) {
      cursor.tooDeep(at);
      return -1;
    }
    at++;
  }
  cursor.fail('an array has no end', start);
  return -1;
}

const isOpening = (byte: number): boolean => byte === OPEN_ARRAY || byte === OPEN_OBJECT;
const isClosing = (byte: number): boolean => byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;

/** No byte of the word is a quote, and none is above `?`, where letters and brackets are. */
function isDull(word: number): boolean {
  const unlike = word ^ 0x22222222;
  // The well-known test for a zero byte: borrowing reaches a high bit that the byte itself does not have.
  return (word & 0xc0c0c0c0) === 0 && ((unlike - 0x01010101) & ~unlike & 0x80808080) === 0;
}

/** How many bytes of the word are commas: the test for zero bytes that marks no other, and a sum of its marks. */
function commasIn(word: number): number {
  const unlike = word ^ 0x2c2c2c2c;
  const marks = ~(((unlike & 0x7f7f7f7f) + 0x7f7f7f7f) | unlike) & 0x80808080;
  return Math.imul(marks >>> 7, 0x01010101) >>> 24;
}

/** What stands at the cursor, for messages. */
export function kindOf(byte: number): string {
  if (byte === QUOTE) return 'a string';
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return 'a number';
  if (byte === OPEN_ARRAY) return 'an array';
  if (byte === OPEN_OBJECT) return 'an object';
  if (byte === LOWER_T || byte === LOWER_F) return 'a boolean';
  if (byte === LOWER_N) return 'null';
  if (byte === UPPER_N) return 'NaN';
  if (byte === UPPER_I) return 'Infinity';
  return byte === -1 ? 'the end' : 'no value';
}

/** Passes over NaN, Infinity or -Infinity at the cursor and returns it; 0 when none stands there. */
export function bareWord(cursor: JsonCursor): number {
  if (cursor.literal('NaN')) return Number.NaN;
  if (cursor.literal('Infinity')) return Number.POSITIVE_INFINITY;
  return cursor.literal('-Infinity') ? Number.NEGATIVE_INFINITY : 0;
}

function skipLeaf(cursor: JsonCursor, byte: number, tensorData: boolean): boolean {
  if (byte === QUOTE) return cursor.scanString();
  if (tensorData && bareWord(cursor) !== 0) return true;
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return scanNumber(cursor);
  if (cursor.literal('true') || cursor.literal('false') || cursor.literal('null')) return true;
  return cursor.expected('a value');
}
