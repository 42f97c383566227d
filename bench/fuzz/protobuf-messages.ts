import type { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { DATATYPES } from '../../src/core/datatype.ts';

/** Bytes that are fields of protobuf messages, nested, with numbers that the protocol uses and lengths that lie now and then. */

const MOST_FIELDS = 6;
const DEEPEST = 4;
/** Field numbers beyond those of the protocol, up to the largest there is. */
const STRANGE_FIELDS = [0, 15, 16, 2_047, 536_870_911] as const;
const TEXTS = ['', 'm', 'x', 'FP32', 'INT64', 'BYTES', 'sequence_id', 'shared_memory_region', '\xff', 'a'.repeat(200)] as const;
const VARINTS = [0n, 1n, 2n, 127n, 128n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n] as const;

/** One message, of any kind. */
export function anyMessage(random: SeededRandom, depth = 0): Buffer {
  const parts: Buffer[] = [];
  for (let fields = random.below(MOST_FIELDS); fields > 0; fields--) parts.push(anyField(random, depth));
  return Buffer.concat(parts);
}

/** ModelInferRequest, or ModelInferResponse where its raw contents have the number 6, whose parts are right most of the time. */
export function inferMessage(random: SeededRandom, rawField: 6 | 7): Buffer {
  const texts = [1, 2, 3].map((field) => maybe(random, () => enclosed(field, Buffer.from(pick(random, TEXTS), 'latin1'))));
  const parts = [...texts, maybe(random, () => parameters(random, 4))];
  const raw = random.below(2) === 0;
  for (let tensors = random.below(4); tensors > 0; tensors--) {
    const size = random.below(4);
    parts.push(enclosed(5, tensor(random, size, raw)));
    if (raw) parts.push(maybe(random, () => enclosed(rawField, noise(random, 4 * size))));
  }
  if (random.below(3) === 0) parts.push(enclosed(6, enclosed(1, Buffer.from('y'))));
  return Buffer.concat(random.shuffle(parts));
}

/** The contents of INT32 are in field 2, those of UINT32 in 4, and so on. */
const CONTENT_FIELDS: Readonly<Record<string, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

function tensor(random: SeededRandom, size: number, raw: boolean): Buffer {
  const datatype = pick(random, DATATYPES);
  const parts = [
    maybe(random, () => enclosed(1, Buffer.from('x'))),
    maybe(random, () => enclosed(2, Buffer.from(datatype))),
    maybe(random, () => enclosed(3, varint(BigInt(size)))),
  ];
  if (random.below(4) === 0) parts.push(parameters(random, 4));
  if (!raw) parts.push(maybe(random, () => enclosed(5, contents(random, datatype, size))));
  return Buffer.concat(random.shuffle(parts));
}

function contents(random: SeededRandom, datatype: string, size: number): Buffer {
  const field = CONTENT_FIELDS[datatype] ?? 6;
  if (field === 8) return Buffer.concat(Array.from({ length: size }, () => enclosed(8, noise(random, random.below(6)))));
  if (field === 6 || field === 7) return enclosed(field, noise(random, size * (field === 6 ? 4 : 8)));
  return enclosed(field, Buffer.concat(Array.from({ length: size }, () => varint(BigInt(random.below(128))))));
}

function parameters(random: SeededRandom, field: number): Buffer {
  const value = Buffer.concat([varint(BigInt(8 * pick(random, [1, 2, 5]))), varint(pick(random, VARINTS))]);
  return enclosed(field, Buffer.concat([enclosed(1, Buffer.from(pick(random, TEXTS), 'latin1')), enclosed(2, value)]));
}

/** The right thing, and one time in thirty something else. */
function maybe(random: SeededRandom, right: () => Buffer): Buffer {
  return random.below(30) === 0 ? anyField(random, DEEPEST - 1) : right();
}

/** A message of about `size` bytes: one field over and over, one inside the other, or one that is long. */
export function largeMessage(random: SeededRandom, size: number): Buffer {
  const piece = anyField(random, DEEPEST - 1);
  if (piece.length === 0) return piece;
  const many = Buffer.alloc(Math.max(1, Math.floor(size / piece.length)) * piece.length, piece);
  switch (random.below(3)) {
    case 0:
      return many;
    case 1:
      return enclosed(1 + random.below(7), many);
    default:
      return nested(random, size);
  }
}

function nested(random: SeededRandom, size: number): Buffer {
  const number = 1 + random.below(7);
  // Each level costs a copy of what is inside: enough of them to matter, few enough to make.
  let bytes = noise(random, 8);
  for (let depth = 0; depth < 200 && bytes.length < size; depth++) bytes = enclosed(number, bytes);
  return bytes;
}

/** A length-delimited field. */
export function enclosed(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
}

function anyField(random: SeededRandom, depth: number): Buffer {
  const number = random.below(12) === 0 ? pick(random, STRANGE_FIELDS) : 1 + random.below(7);
  const wireType = random.below(20) === 0 ? random.below(8) : pick(random, [0, 2, 2, 2, 1, 5]);
  const tag = varint(BigInt(number) * 8n + BigInt(wireType));
  switch (wireType) {
    case 0:
      return Buffer.concat([tag, varint(pick(random, VARINTS))]);
    case 1:
      return Buffer.concat([tag, noise(random, 8)]);
    case 5:
      return Buffer.concat([tag, noise(random, 4)]);
    case 2:
      return Buffer.concat([tag, prefixed(random, content(random, depth))]);
    default:
      return tag;
  }
}

function content(random: SeededRandom, depth: number): Buffer {
  switch (random.below(depth < DEEPEST ? 4 : 3)) {
    case 0:
      return Buffer.from(pick(random, TEXTS), 'latin1');
    case 1:
      return noise(random, random.below(40));
    case 2:
      return Buffer.concat(Array.from({ length: random.below(MOST_FIELDS) }, () => varint(pick(random, VARINTS))));
    default:
      return anyMessage(random, depth + 1);
  }
}

/** A length that is one off, or enormous, one time in thirty. */
function prefixed(random: SeededRandom, bytes: Buffer): Buffer {
  const lie = random.below(30) === 0;
  const size = lie ? pick(random, [bytes.length + 1, 2 ** 31 - 1, 2 ** 32 - 1]) : bytes.length;
  return Buffer.concat([varint(BigInt(size)), bytes]);
}

function noise(random: SeededRandom, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = random.below(256);
  return bytes;
}

/** A number as protobuf writes it. */
export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

const pick = <T>(random: SeededRandom, items: readonly T[]): T => items[random.below(items.length)]!;
