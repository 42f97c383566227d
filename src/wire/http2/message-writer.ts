import { put32 } from './frames/frame-format.ts';
import type { FrameOutput } from './frames/frame-output.ts';
import { writeDataHead } from './frames/frame-writer.ts';
import { MESSAGE_HEAD_BYTES } from './message-reader.ts';

/** A message on its way out, and how far it has come. */
export interface OutgoingMessage {
  readonly streamId: number;
  readonly pieces: readonly Uint8Array[];
  /** Of all pieces together. */
  readonly messageBytes: number;
  /** What has not been written; more than `messageBytes` as long as some of the message's head has not. */
  unsentBytes: number;
  /** Where the rest begins. */
  piece: number;
  pieceAt: number;
}

/** Writes the next so many bytes of a message as one DATA frame. @hot */
export function writeMessage(output: FrameOutput, message: OutgoingMessage, bytes: number, endStream: boolean): void {
  writeDataHead(output, message.streamId, bytes, endStream);
  let left = bytes - writeMessageHead(output, message, bytes);
  message.unsentBytes -= bytes;
  while (left > 0) {
    const piece = message.pieces[message.piece]!;
    const end = Math.min(piece.length, message.pieceAt + left);
    left -= end - message.pieceAt;
    if (message.pieceAt === 0 && end === piece.length) output.add(piece);
    else output.add(piece.subarray(message.pieceAt, end));
    if (end === piece.length) {
      message.piece++;
      message.pieceAt = 0;
    } else message.pieceAt = end;
  }
}

/** The flag and the length ahead of the message, or what of them has not been sent. */
function writeMessageHead(output: FrameOutput, message: OutgoingMessage, most: number): number {
  const left = message.unsentBytes - message.messageBytes;
  if (left <= 0) return 0;
  const at = output.reserve(MESSAGE_HEAD_BYTES);
  if (left === MESSAGE_HEAD_BYTES && most >= MESSAGE_HEAD_BYTES) {
    output.slab[at] = 0;
    put32(output.slab, at + 1, message.messageBytes);
    output.commit(MESSAGE_HEAD_BYTES);
    return MESSAGE_HEAD_BYTES;
  }
  // A window of less than five bytes cuts even this.
  const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
  put32(head, 1, message.messageBytes);
  const count = Math.min(left, most);
  const from = MESSAGE_HEAD_BYTES - left;
  output.slab.set(head.subarray(from, from + count), at);
  output.commit(count);
  return count;
}
