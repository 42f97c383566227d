import type { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { frame } from '../../../test/support/frame-log.ts';
import { HpackModel } from '../../../test/support/hpack-model.ts';

/** Header blocks of one side of a connection, written in every way that RFC 7541 leaves open, and the frames that carry them. */

const FORMS = ['kept', 'kept', 'plain', 'secret'] as const;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
/** A table of any side begins with so many bytes, and may be made smaller by who writes. */
const TABLE_BYTES = 4_096;
const MOST_PARTS = 4;
const MOST_PADDING = 30;

export class FieldBlocks {
  readonly #random: SeededRandom;
  readonly #model = new HpackModel();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** `fields` is name, value, name, value. */
  block(fields: readonly string[]): Buffer {
    const random = this.#random;
    const parts: Buffer[] = [];
    if (oneIn(random, 12)) {
      // RFC 7541, 4.2: the smallest size of the time between two blocks, and the last.
      if (oneIn(random, 2)) parts.push(this.#model.resize(random.below(200)));
      parts.push(this.#model.resize(random.below(TABLE_BYTES + 1)));
    }
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const form = FORMS[random.below(FORMS.length)]!;
      const short = !oneIn(random, 8);
      parts.push(this.#model.encode({ name: fields[i]!, value: fields[i + 1]!, form, coded: oneIn(random, 2), short }));
    }
    return Buffer.concat(parts);
  }

  /** HEADERS, padded and with a priority now and then, and CONTINUATION. */
  frames(streamId: number, fields: readonly string[], endStream: boolean): Buffer[] {
    const random = this.#random;
    const parts = cutUp(random, this.block(fields), oneIn(random, 4) ? 1 + random.below(MOST_PARTS) : 1);
    const frames: Buffer[] = [];
    for (const [i, part] of parts.entries()) {
      const ends = i === parts.length - 1 ? END_HEADERS : 0;
      if (i > 0) frames.push(frame(9, ends, streamId, part));
      else frames.push(this.#first(streamId, part, ends | (endStream ? END_STREAM : 0)));
    }
    return frames;
  }

  #first(streamId: number, part: Buffer, flags: number): Buffer {
    const random = this.#random;
    if (!oneIn(random, 8)) return paddedFrame(random, 1, flags, streamId, part);
    const priority = Buffer.from([0, 0, 0, 0, random.below(256)]);
    return paddedFrame(random, 1, flags | PRIORITY, streamId, Buffer.concat([priority, part]));
  }
}

/** HEADERS or DATA, which are the types that may be padded, with padding now and then. */
export function paddedFrame(random: SeededRandom, type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  if (!oneIn(random, 6)) return frame(type, flags, streamId, payload);
  const padding = random.below(MOST_PADDING);
  return frame(type, flags | PADDED, streamId, Buffer.concat([Buffer.of(padding), payload, Buffer.alloc(padding)]));
}

/** `bytes` in so many pieces, of which some may be empty. */
export function cutUp(random: SeededRandom, bytes: Buffer, count: number): Buffer[] {
  const cuts = Array.from({ length: count - 1 }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [...cuts, bytes.length].map((cut, i) => bytes.subarray(i === 0 ? 0 : cuts[i - 1]!, cut));
}

export const oneIn = (random: SeededRandom, n: number): boolean => random.below(n) === 0;

export const anyOf = <T>(random: SeededRandom, items: readonly T[]): T => items[random.below(items.length)]!;
