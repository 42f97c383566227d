import { BACKSLASH, LOWER_B, LOWER_F, LOWER_N, LOWER_R, LOWER_T, LOWER_U, NINE, QUOTE, ZERO } from './ascii.ts';

/** Escapes inside JSON strings: how long they are, and what they stand for in UTF-8. */

const SLASH = 0x2f;
const UNIT_BYTES = 6; // \u and four digits
const PAIR_BYTES = 12;
/** What `escapeBytes` says of half a surrogate pair: it has no UTF-8 form, and a replacement character would change the value. */
export const LONE_SURROGATE = -1;

/** Bytes of the escape at `at`, which holds a backslash; 0 when it is none, or LONE_SURROGATE. */
export function escapeBytes(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return 0;
  const letter = bytes[at + 1]!;
  if (letter !== LOWER_U) return plainByte(letter) === 0 ? 0 : 2;
  const unit = unitAt(bytes, at, end);
  if (unit < 0) return 0;
  if (unit < 0xd800 || unit > 0xdfff) return UNIT_BYTES;
  if (unit > 0xdbff) return LONE_SURROGATE;
  const low = unitAt(bytes, at + UNIT_BYTES, end);
  return low >= 0xdc00 && low <= 0xdfff ? PAIR_BYTES : LONE_SURROGATE;
}

/** Writes the string between `from` and `to`, whose escapes were checked, to `out` at `at`. Returns where it ends; never longer than it was. */
export function unescapeInto(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let read = from;
  let write = at;
  while (read < to) {
    const byte = bytes[read]!;
    if (byte !== BACKSLASH) {
      out[write++] = byte;
      read++;
      continue;
    }
    const length = escapeBytes(bytes, read, to);
    if (length === 2) out[write++] = plainByte(bytes[read + 1]!);
    else write = writePoint(pointAt(bytes, read, length, to), out, write);
    read += length;
  }
  return write;
}

function pointAt(bytes: Uint8Array, at: number, length: number, end: number): number {
  const unit = unitAt(bytes, at, end);
  if (length === UNIT_BYTES) return unit;
  return 0x10000 + ((unit - 0xd800) << 10) + (unitAt(bytes, at + UNIT_BYTES, end) - 0xdc00);
}

function writePoint(point: number, out: Uint8Array, at: number): number {
  let write = at;
  if (point < 0x80) {
    out[write++] = point;
    return write;
  }
  if (point < 0x800) out[write++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) out[write++] = 0xe0 | (point >> 12);
    else {
      out[write++] = 0xf0 | (point >> 18);
      out[write++] = 0x80 | ((point >> 12) & 0x3f);
    }
    out[write++] = 0x80 | ((point >> 6) & 0x3f);
  }
  out[write++] = 0x80 | (point & 0x3f);
  return write;
}

/** The UTF-16 unit that `\uXXXX` at `at` spells, or -1. */
function unitAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + UNIT_BYTES > end || bytes[at] !== BACKSLASH || bytes[at + 1] !== LOWER_U) return -1;
  let unit = 0;
  for (let i = 2; i < UNIT_BYTES; i++) {
    const digit = hexDigit(bytes[at + i]!);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The byte that a two-character escape stands for, or 0. */
function plainByte(letter: number): number {
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case SLASH:
      return letter;
    case LOWER_B:
      return 0x08;
    case LOWER_F:
      return 0x0c;
    case LOWER_N:
      return 0x0a;
    case LOWER_R:
      return 0x0d;
    case LOWER_T:
      return 0x09;
    default:
      return 0;
  }
}
