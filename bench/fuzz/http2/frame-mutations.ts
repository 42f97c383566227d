import type { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { PREFACE } from '../../../src/wire/http2/frames/frame-format.ts';
import { oneIn } from './field-blocks.ts';

/** Edits of the frames of one side, as attackers and broken peers make them, and the cutting of the outcome into what a reader sees. */

const HEAD_BYTES = 9;
const MOST_EDITS = 3;

/** A copy of `frames` with one edit or a few. The first, with which a side begins, is spared mostly. */
export function mutatedFrames(random: SeededRandom, frames: readonly Buffer[]): Buffer[] {
  const out = frames.map((one) => Buffer.from(one));
  for (let edits = 1 + random.below(MOST_EDITS); edits > 0 && out.length > 0; edits--) {
    const spared = oneIn(random, 20) ? 0 : Math.min(1, out.length - 1);
    edit(random, out, spared + random.below(out.length - spared));
  }
  return out;
}

type Edit = (random: SeededRandom, frames: Buffer[], at: number) => void;

const EDITS: readonly Edit[] = [
  // One bit, anywhere or in the head, where it matters more.
  (random, frames, at) => flip(frames[at]!, random.below(frames[at]!.length), random),
  (random, frames, at) => flip(frames[at]!, random.below(Math.min(HEAD_BYTES, frames[at]!.length)), random),
  // Bytes that are missing, or too many, without or with a length that says so.
  (random, frames, at) => void frames.splice(at, 1, frames[at]!.subarray(0, random.below(frames[at]!.length))),
  (random, frames, at) => resize(frames, at, frames[at]!.subarray(HEAD_BYTES, random.below(frames[at]!.length + 1))),
  (random, frames, at) =>
    resize(frames, at, Buffer.concat([frames[at]!.subarray(HEAD_BYTES), Buffer.alloc(random.below(12), 1)])),
  // A length that is wrong.
  (random, frames, at) => putLength(frames[at]!, lengthOf(frames[at]!) + 5 - random.below(11)),
  (random, frames, at) => putLength(frames[at]!, random.below(20_000)),
  // Frames that come twice, never, too early or too late.
  (random, frames, at) => void frames.splice(random.below(frames.length + 1), 0, frames[at]!),
  (_random, frames, at) => void frames.splice(at, 0, frames[at]!),
  (_random, frames, at) => void frames.splice(at, 1),
  (random, frames, at) => void frames.splice(random.below(frames.length), 0, ...frames.splice(at, 1)),
  (_random, frames, at) => void frames.splice(at, 2, ...frames.slice(at, at + 2).reverse()),
  (_random, frames, at) => void frames.splice(at + 1),
  // Another stream, other flags, another type.
  (random, frames, at) => putStream(frames[at]!, STREAMS[random.below(STREAMS.length)]!),
  (random, frames, at) => putOctet(frames[at]!, 4, random.below(256)),
  (random, frames, at) => putOctet(frames[at]!, 4, FLAGS[random.below(FLAGS.length)]!),
  (random, frames, at) => putOctet(frames[at]!, 3, random.below(11)),
  // A payload that means something else, or nothing.
  (random, frames, at) => frames[at]!.fill(random.below(256), HEAD_BYTES),
  (random, frames, at) => overwrite(random, frames[at]!),
];

const STREAMS = [0, 1, 2, 3, 5, 7, 9, 11, 13, 101, 0x7fff_ffff, 0x8000_0001];
const FLAGS = [0, 0x1, 0x4, 0x5, 0x8, 0x9, 0xc, 0xd, 0x20, 0x24, 0x25, 0x2d];

function edit(random: SeededRandom, frames: Buffer[], at: number): void {
  if (frames[at]!.length === 0) frames.splice(at, 1);
  else EDITS[random.below(EDITS.length)]!(random, frames, at);
}

function flip(bytes: Buffer, at: number, random: SeededRandom): void {
  bytes[at]! ^= 1 << random.below(8);
}

const lengthOf = (bytes: Buffer): number => (bytes.length < HEAD_BYTES ? 0 : bytes.readUIntBE(0, 3));

function putLength(bytes: Buffer, length: number): void {
  if (bytes.length >= HEAD_BYTES) bytes.writeUIntBE(Math.max(0, length), 0, 3);
}

function putStream(bytes: Buffer, streamId: number): void {
  if (bytes.length >= HEAD_BYTES) bytes.writeUInt32BE(streamId, 5);
}

function putOctet(bytes: Buffer, at: number, octet: number): void {
  if (at < bytes.length) bytes[at] = octet;
}

function resize(frames: Buffer[], at: number, payload: Buffer): void {
  const whole = frames[at]!;
  if (whole.length < HEAD_BYTES) return;
  const out = Buffer.concat([whole.subarray(0, HEAD_BYTES), payload]);
  putLength(out, payload.length);
  frames[at] = out;
}

function overwrite(random: SeededRandom, bytes: Buffer): void {
  for (let i = HEAD_BYTES; i < bytes.length; i++) if (oneIn(random, 4)) bytes[i] = random.below(256);
}

/** What a reader makes of the bytes of a client, or of a server: the preface, whole frames as their heads say, and the rest. */
export function framesAsRead(bytes: Buffer, fromClient: boolean): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  if (fromClient) {
    frames.push(bytes.subarray(0, PREFACE.length));
    at = PREFACE.length;
  }
  while (at < bytes.length) {
    const whole = bytes.length - at < HEAD_BYTES ? bytes.length : at + HEAD_BYTES + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(at, whole));
    at = whole;
  }
  return frames;
}
