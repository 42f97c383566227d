import type { SeededRandom } from '../../scripts/models/seeded-random.ts';

/** Edits that turn well-formed bytes into nearly well-formed ones, which reach deeper into a decoder than noise does. */

const MOST_EDITS = 6;
const MOST_COPIED = 64;

/** Bytes that mean something in either of the formats: brackets, quotes, digits, tags, ends of ranges. */
const TELLING = Buffer.from(
  '{}[]",:\\-+.eE0123456789tfnNI \n\x00\x01\x02\x07\x08\x0a\x12\x1a\x22\x2a\x32\x3a\x7f\x80\xc0\xff',
  'latin1',
);

/** Pieces that are put in whole. */
const PIECES: readonly Buffer[] = [
  '1e999999999',
  '-0.00000000000000000000000000000000000001e-400',
  '9007199254740993',
  '18446744073709551616',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__":',
  '"constructor":{',
  '"data":[',
  '"shape":[4294967296,4294967296]',
  '"shape":[1000000000]',
  '[[[[[[[[',
  '{"a":{"a":',
  'NaN',
  '-Infinity',
  'true',
  'null',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01',
  '\xff\xff\xff\xff\x0f',
  '\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xc0\x80',
].map((text) => Buffer.from(text, 'latin1'));

/** A copy of `bytes` with one edit or a few; `other` lends the pieces that are spliced in. */
export function mutated(random: SeededRandom, bytes: Buffer, other: Buffer): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let edits = 1 + random.below(1 + random.below(MOST_EDITS)); edits > 0; edits--) out = edited(random, out, other);
  return out;
}

function edited(random: SeededRandom, bytes: Buffer, other: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  switch (random.below(8)) {
    case 0:
      return overwritten(bytes, at, random.below(256));
    case 1:
      return overwritten(bytes, at, TELLING[random.below(TELLING.length)]!);
    case 2:
      return spliced(bytes, at, 0, TELLING.subarray(random.below(TELLING.length)).subarray(0, 1));
    case 3:
      return spliced(bytes, at, 1 + random.below(4), EMPTY);
    case 4:
      return spliced(bytes, at, 0, bytes.subarray(at, at + 1 + random.below(MOST_COPIED)));
    case 5:
      return spliced(bytes, at, 0, PIECES[random.below(PIECES.length)]!);
    case 6:
      return bytes.subarray(0, at);
    default: {
      const from = random.below(other.length + 1);
      return spliced(bytes, at, random.below(8), other.subarray(from, from + 1 + random.below(MOST_COPIED)));
    }
  }
}

/** A piece of `bytes` over and over, up to `size` in all: what is quadratic shows here. */
export function repeated(random: SeededRandom, bytes: Buffer, size: number): Buffer {
  const from = random.below(bytes.length + 1);
  const piece = bytes.subarray(from, from + 1 + random.below(MOST_COPIED));
  if (piece.length === 0) return bytes;
  const count = Math.floor(Math.max(0, size - bytes.length) / piece.length);
  return spliced(bytes, from, 0, Buffer.alloc(count * piece.length, piece));
}

const EMPTY = Buffer.alloc(0);

function overwritten(bytes: Buffer, at: number, byte: number): Buffer {
  if (at < bytes.length) bytes[at] = byte;
  return bytes;
}

function spliced(bytes: Buffer, at: number, cut: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(Math.min(bytes.length, at + cut))]);
}
