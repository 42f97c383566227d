import { staticIndex, staticNameIndex } from './static-table.ts';

/**
 * Header blocks that hold nothing in a table: static entries by number, all else as plain literals (RFC 7541, 6.1, 6.2.2, 6.2.3). Such bytes
 * mean the same on every connection, so that they are made once. Each function writes at `at` and returns where the next one writes.
 */

/** Empties the table for good: the other side's decoder need not keep one for us, whatever limit it sets (RFC 7541, 4.2 and 6.3). */
export const NO_TABLE = 0x20;

const LITERAL = 0x00;
/** For secrets: no proxy may keep them in a table either (RFC 7541, 7.1.3). */
const NEVER_INDEXED = 0x10;

/** Room for one field, whichever way it is written. */
export const fieldRoom = (name: string, value: string): number => name.length + value.length + 2 * INTEGER_ROOM + 1;
const INTEGER_ROOM = 5;

/** RFC 7541, 5.1. `pattern` are the bits in front of the prefix that `mask` covers. @hot */
export function putInteger(out: Buffer, at: number, pattern: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = pattern | value;
    return at + 1;
  }
  out[at++] = pattern | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}

/** A string of one octet a character, not in the Huffman code. @hot */
export function putText(out: Buffer, at: number, text: string): number {
  const length = text.length;
  let to = putInteger(out, at, 0, 0x7f, length);
  for (let i = 0; i < length; i++) out[to++] = text.charCodeAt(i);
  return to;
}

/** One field; `secret` ones are never indexed. */
export function putField(out: Buffer, at: number, name: string, value: string, secret: boolean): number {
  const whole = secret ? 0 : staticIndex(name, value);
  if (whole > 0) return putInteger(out, at, 0x80, 0x7f, whole);
  return putText(out, putName(out, at, name, secret), value);
}

/** The first half of a literal field: its value follows as text. */
export function putName(out: Buffer, at: number, name: string, secret: boolean): number {
  const index = staticNameIndex(name);
  const to = putInteger(out, at, secret ? NEVER_INDEXED : LITERAL, 0x0f, index);
  return index > 0 ? to : putText(out, to, name);
}

/** A block, or a part of one, that is made once: name, value, name, value. */
export function encodeFields(pairs: readonly string[]): Buffer {
  let room = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) room += fieldRoom(pairs[i]!, pairs[i + 1]!);
  const out = Buffer.alloc(room);
  let at = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) at = putField(out, at, pairs[i]!, pairs[i + 1]!, false);
  return Buffer.from(out.subarray(0, at));
}
