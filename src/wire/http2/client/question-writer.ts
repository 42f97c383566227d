import { put32 } from '../frames/frame-format.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { writeDataHead } from '../frames/frame-writer.ts';
import { MESSAGE_HEAD_BYTES } from '../message-reader.ts';
import type { H2Call } from './h2-call.ts';

/** Writes the next so many bytes of a call's question as one DATA frame; the last has END_STREAM. @hot */
export function writeQuestion(output: FrameOutput, call: H2Call, bytes: number): void {
  writeDataHead(output, call.streamId, bytes, bytes === call.unsentBytes);
  let left = bytes - writeMessageHead(output, call, bytes);
  call.unsentBytes -= bytes;
  while (left > 0) {
    const piece = call.pieces[call.piece]!;
    const end = Math.min(piece.length, call.pieceAt + left);
    left -= end - call.pieceAt;
    if (call.pieceAt === 0 && end === piece.length) output.add(piece);
    else output.add(piece.subarray(call.pieceAt, end));
    if (end === piece.length) {
      call.piece++;
      call.pieceAt = 0;
    } else call.pieceAt = end;
  }
}

/** The flag and the length ahead of the message, or what of them has not been sent. */
function writeMessageHead(output: FrameOutput, call: H2Call, most: number): number {
  const left = call.unsentBytes - call.messageBytes;
  if (left <= 0) return 0;
  const at = output.reserve(MESSAGE_HEAD_BYTES);
  if (left === MESSAGE_HEAD_BYTES && most >= MESSAGE_HEAD_BYTES) {
    output.slab[at] = 0;
    put32(output.slab, at + 1, call.messageBytes);
    output.commit(MESSAGE_HEAD_BYTES);
    return MESSAGE_HEAD_BYTES;
  }
  // A window of less than five bytes cuts even this.
  const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
  put32(head, 1, call.messageBytes);
  const count = Math.min(left, most);
  const from = MESSAGE_HEAD_BYTES - left;
  output.slab.set(head.subarray(from, from + count), at);
  output.commit(count);
  return count;
}
