import type { H2ErrorCode } from '../h2-error.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType, LEAST_MAX_FRAME_BYTES, PING_BYTES, put32, putFrameHead } from './frame-format.ts';
import type { FrameOutput } from './frame-output.ts';

/** Writes the frames of RFC 9113, 6 that carry no header block and no data, and the heads of those that do. */

/** @hot */
export function writeReset(output: FrameOutput, streamId: number, code: H2ErrorCode): void {
  writeWord(output, FrameType.Reset, streamId, code);
}

/** @hot */
export function writeWindowUpdate(output: FrameOutput, streamId: number, increment: number): void {
  writeWord(output, FrameType.WindowUpdate, streamId, increment);
}

function writeWord(output: FrameOutput, type: number, streamId: number, word: number): void {
  const at = output.reserve(FRAME_HEAD_BYTES + 4);
  put32(output.slab, putFrameHead(output.slab, at, 4, type, 0, streamId), word);
  output.commit(FRAME_HEAD_BYTES + 4);
}

/** `payload` has the eight bytes from `from`. */
export function writePing(output: FrameOutput, ack: boolean, payload: Uint8Array, from: number): void {
  const at = output.reserve(FRAME_HEAD_BYTES + PING_BYTES);
  const to = putFrameHead(output.slab, at, PING_BYTES, FrameType.Ping, ack ? Flag.Ack : 0, 0);
  for (let i = 0; i < PING_BYTES; i++) output.slab[to + i] = payload[from + i]!;
  output.commit(FRAME_HEAD_BYTES + PING_BYTES);
}

export function writeSettingsAck(output: FrameOutput): void {
  const at = output.reserve(FRAME_HEAD_BYTES);
  putFrameHead(output.slab, at, 0, FrameType.Settings, Flag.Ack, 0);
  output.commit(FRAME_HEAD_BYTES);
}

const MAX_DEBUG_CHARS = 256;

/** `debug` is ASCII, for whoever reads the other side's log. */
export function writeGoAway(output: FrameOutput, lastStreamId: number, code: H2ErrorCode, debug: string): void {
  const text = debug.slice(0, MAX_DEBUG_CHARS);
  const bytes = FRAME_HEAD_BYTES + 8 + text.length;
  const at = output.reserve(bytes);
  const to = putFrameHead(output.slab, at, 8 + text.length, FrameType.GoAway, 0, 0);
  put32(output.slab, to, lastStreamId);
  put32(output.slab, to + 4, code);
  output.slab.write(text, to + 8, 'latin1');
  output.commit(bytes);
}

/** The head of a DATA frame; so many bytes have to follow. @hot */
export function writeDataHead(output: FrameOutput, streamId: number, length: number, endStream: boolean): void {
  const at = output.reserve(FRAME_HEAD_BYTES);
  putFrameHead(output.slab, at, length, FrameType.Data, endStream ? Flag.EndStream : 0, streamId);
  output.commit(FRAME_HEAD_BYTES);
}

/** A header block as HEADERS, and as CONTINUATION where it is longer than a frame of any size may be (RFC 9113, 6.10). */
export function writeHeaderBlock(output: FrameOutput, streamId: number, block: Buffer, endStream: boolean): void {
  let type: number = FrameType.Headers;
  let from = 0;
  do {
    const to = Math.min(block.length, from + LEAST_MAX_FRAME_BYTES);
    const flags = (to === block.length ? Flag.EndHeaders : 0) | (endStream && from === 0 ? Flag.EndStream : 0);
    const at = output.reserve(FRAME_HEAD_BYTES);
    putFrameHead(output.slab, at, to - from, type, flags, streamId);
    output.commit(FRAME_HEAD_BYTES);
    output.add(block.subarray(from, to));
    type = FrameType.Continuation;
    from = to;
  } while (from < block.length);
}
