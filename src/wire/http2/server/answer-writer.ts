import { GrpcStatus } from '../../../core/grpc-status.ts';
import { putBytes } from '../../../core/put-bytes.ts';
import { isCarried } from '../../grpc/metadata-names.ts';
import { CarriedFields, nameBytes } from '../carried-fields.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType, putFrameHead } from '../frames/frame-format.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { writeHeaderBlock } from '../frames/frame-writer.ts';
import { SLAB_BYTES } from '../frames/slab-pool.ts';
import { encodeFields, NO_TABLE, putText } from '../hpack/encoder.ts';

/** The header blocks of answers. What does not change is made once for the process. */

const NO_FIELDS: readonly string[] = [];
const HEAD = [':status', '200', 'content-type', 'application/grpc+proto'];
const OPENING = encodeFields(HEAD);
const OK_TRAILERS = encodeFields(['grpc-status', '0']);
const NOTHING = Buffer.alloc(0);
const MESSAGE_NAME = nameBytes('grpc-message');
/** The frame's head, a word about tables, and the length of a message. */
const SMALL_ROOM = FRAME_HEAD_BYTES + 8;

const STATUS_FIELDS = Object.values(GrpcStatus).map((status) => encodeFields(['grpc-status', String(status)]));
const statusField = (status: number): Buffer => STATUS_FIELDS[status] ?? encodeFields(['grpc-status', String(status)]);
const carried = new CarriedFields(isCarried);

/** Writes the header blocks of one connection's answers. */
export class AnswerWriter {
  readonly #output: FrameOutput;
  /** The client has been told that we keep nothing in its table. */
  #tableTold = false;

  constructor(output: FrameOutput) {
    this.#output = output;
  }

  /** The head of an answer whose messages follow. @hot */
  open(streamId: number, headers: readonly string[]): void {
    this.#write(streamId, false, OPENING, NOTHING, '', headers);
  }

  /** The end of an answer that has all its messages. @hot */
  endOk(streamId: number): void {
    this.#write(streamId, true, OK_TRAILERS, NOTHING, '', NO_FIELDS);
  }

  end(streamId: number, status: number, message: string, headers: readonly string[]): void {
    this.#write(streamId, true, statusField(status), NOTHING, encodedMessage(message), headers);
  }

  /** An answer without messages: one block alone, "Trailers-Only" as gRPC calls it. */
  refuse(streamId: number, status: number, message: string, headers: readonly string[]): void {
    this.#write(streamId, true, OPENING, statusField(status), encodedMessage(message), headers);
  }

  /** The head of an answer to a request that is not gRPC. */
  openPlain(streamId: number, block: Buffer, last: boolean): void {
    this.#write(streamId, last, block, NOTHING, '', NO_FIELDS);
  }

  #write(streamId: number, last: boolean, first: Buffer, second: Buffer, message: string, headers: readonly string[]): void {
    const output = this.#output;
    const texts = message === '' ? 0 : MESSAGE_NAME.length + message.length;
    const room = SMALL_ROOM + first.length + second.length + texts + carried.room(headers);
    if (room > SLAB_BYTES) {
      const out = Buffer.allocUnsafe(room);
      const end = this.#put(out, 0, first, second, message, headers);
      writeHeaderBlock(output, streamId, out.subarray(0, end), last);
      return;
    }
    const at = output.reserve(room);
    const end = this.#put(output.slab, at + FRAME_HEAD_BYTES, first, second, message, headers);
    const flags = last ? Flag.EndHeaders | Flag.EndStream : Flag.EndHeaders;
    putFrameHead(output.slab, at, end - at - FRAME_HEAD_BYTES, FrameType.Headers, flags, streamId);
    output.commit(end - at);
  }

  #put(out: Buffer, from: number, first: Buffer, second: Buffer, message: string, headers: readonly string[]): number {
    let at = from;
    if (!this.#tableTold) {
      this.#tableTold = true;
      out[at++] = NO_TABLE;
    }
    at = putBytes(out, putBytes(out, at, first), second);
    if (message !== '') at = putText(out, putBytes(out, at, MESSAGE_NAME), message);
    return carried.put(out, at, headers);
  }
}

const PLAIN = /^[!-$&-~]*$/;
const HEX = '0123456789ABCDEF';

/** `grpc-message` is percent-encoded UTF-8. */
function encodedMessage(message: string): string {
  if (PLAIN.test(message)) return message;
  const octets = Buffer.from(message, 'utf8');
  let text = '';
  for (const octet of octets) {
    if (octet > 0x20 && octet < 0x7f && octet !== 0x25) text += String.fromCharCode(octet);
    else text += `%${HEX[octet >> 4]!}${HEX[octet & 15]!}`;
  }
  return text;
}
