import { putBytes } from '../../../core/put-bytes.ts';
import { CarriedFields, nameBytes } from '../carried-fields.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType, LEAST_MAX_FRAME_BYTES, putFrameHead } from '../frames/frame-format.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { writeHeaderBlock } from '../frames/frame-writer.ts';
import { encodeFields, NO_TABLE } from '../hpack/encoder.ts';

/** The header blocks of calls: what all calls of a method share is made once, and a call adds only what is its own. */

/** Methods of which the constant part is kept; a channel calls a handful. */
const MAX_KEPT = 256;
const TIMEOUT_NAME = nameBytes('grpc-timeout');
/** Eight digits, their unit and their length. */
const TIMEOUT_ROOM = TIMEOUT_NAME.length + 10;
/** For what says that no table is needed. */
const SMALL_ROOM = 4;
/** What RFC 9113, 6.5.2 counts for a field beyond its octets. */
const FIELD_OVERHEAD = 32;

interface Prefix {
  readonly block: Buffer;
  readonly listBytes: number;
}

export interface HeadOwner {
  readonly authority: string;
  readonly secure: boolean;
  readonly isCarried: (name: string) => boolean;
}

export class CallHeads {
  readonly #owner: HeadOwner;
  readonly #prefixes = new Map<string, Prefix>();
  readonly #carried: CarriedFields;

  constructor(owner: HeadOwner) {
    this.#owner = owner;
    this.#carried = new CarriedFields(owner.isCarried);
  }

  /** Whether the peer takes a list of this size. */
  fits(path: string, headers: readonly string[], maxListBytes: number): boolean {
    let bytes = this.#prefix(path).listBytes + TIMEOUT_ROOM + FIELD_OVERHEAD;
    for (let i = 0; i < headers.length; i++) bytes += headers[i]!.length + (FIELD_OVERHEAD >> 1);
    return bytes <= maxListBytes;
  }

  /** Writes HEADERS of a call that goes on with DATA. `first` says that the connection has had none before. @hot */
  write(output: FrameOutput, streamId: number, head: CallHead, first: boolean): void {
    const prefix = this.#prefix(head.path).block;
    const room = FRAME_HEAD_BYTES + SMALL_ROOM + prefix.length + TIMEOUT_ROOM + this.#carried.room(head.headers);
    if (room > LEAST_MAX_FRAME_BYTES) {
      const out = Buffer.allocUnsafe(room);
      writeHeaderBlock(output, streamId, out.subarray(0, this.#put(out, 0, prefix, head, first)), false);
      return;
    }
    const at = output.reserve(room);
    const end = this.#put(output.slab, at + FRAME_HEAD_BYTES, prefix, head, first);
    putFrameHead(output.slab, at, end - at - FRAME_HEAD_BYTES, FrameType.Headers, Flag.EndHeaders, streamId);
    output.commit(end - at);
  }

  #put(out: Buffer, from: number, prefix: Buffer, head: CallHead, first: boolean): number {
    let at = from;
    if (first) out[at++] = NO_TABLE;
    at = putTimeout(out, putBytes(out, at, prefix), head.timeoutMs);
    return this.#carried.put(out, at, head.headers);
  }

  #prefix(path: string): Prefix {
    return this.#prefixes.get(path) ?? this.#makePrefix(path);
  }

  #makePrefix(path: string): Prefix {
    const { authority, secure } = this.#owner;
    // RFC 9113, 8.3.1 and 8.2.2: pseudo-header fields first, and a `te` that says nothing but trailers.
    const pairs = [':method', 'POST', ':scheme', secure ? 'https' : 'http', ':path', path, ':authority', authority];
    pairs.push('te', 'trailers', 'content-type', 'application/grpc', 'user-agent', 'sluice', 'grpc-accept-encoding', 'identity');
    let listBytes = 0;
    for (const text of pairs) listBytes += text.length + FIELD_OVERHEAD / 2;
    const prefix = { block: encodeFields(pairs), listBytes };
    if (this.#prefixes.size >= MAX_KEPT) this.#prefixes.clear();
    this.#prefixes.set(path, prefix);
    return prefix;
  }
}

/** What is a call's own. `headers` is name, value, name, value. */
export interface CallHead {
  readonly path: string;
  readonly timeoutMs: number;
  readonly headers: readonly string[];
}

/** `grpc-timeout` has eight digits at most, so that long ones are told in seconds. */
const MAX_DIGITS_MS = 99_999_999;

function putTimeout(out: Buffer, from: number, timeoutMs: number): number {
  const inMs = timeoutMs <= MAX_DIGITS_MS;
  let rest = inMs ? timeoutMs : Math.min(Math.ceil(timeoutMs / 1_000), MAX_DIGITS_MS);
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits++;
  const at = putBytes(out, from, TIMEOUT_NAME);
  out[at] = digits + 1;
  for (let i = digits; i > 0; i--) {
    out[at + i] = 0x30 + (rest % 10);
    rest = Math.trunc(rest / 10);
  }
  out[at + digits + 1] = inMs ? UNIT_MS : UNIT_S;
  return at + digits + 2;
}

const UNIT_MS = 0x6d;
const UNIT_S = 0x53;
