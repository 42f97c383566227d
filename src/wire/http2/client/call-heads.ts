import { Flag, FRAME_HEAD_BYTES, FrameType, LEAST_MAX_FRAME_BYTES, putFrameHead } from '../frames/frame-format.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { writeHeaderBlock } from '../frames/frame-writer.ts';
import { encodeFields, NO_TABLE, putInteger, putName } from '../hpack/encoder.ts';

/** The header blocks of calls: what all calls of a method share is made once, and a call adds only what is its own. */

/** No table on the way may keep these (RFC 7541, 7.1.3). */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);
/** Methods of which the constant part is kept; a channel calls a handful. */
const MAX_KEPT = 256;
const TIMEOUT_NAME = nameBytes('grpc-timeout');
/** Eight digits, their unit and their length. */
const TIMEOUT_ROOM = TIMEOUT_NAME.length + 10;
/** The length of a value that is shorter than a frame, or one that says that no table is needed. */
const SMALL_ROOM = 4;
/** What RFC 9113, 6.5.2 counts for a field beyond its octets. */
const FIELD_OVERHEAD = 32;

interface Prefix {
  readonly block: Buffer;
  readonly listBytes: number;
}

interface Name {
  /** As a literal field begins; null where the name is not carried. */
  readonly bytes: Buffer | null;
}

export interface HeadOwner {
  readonly authority: string;
  readonly secure: boolean;
  readonly isCarried: (name: string) => boolean;
}

export class CallHeads {
  readonly #owner: HeadOwner;
  readonly #prefixes = new Map<string, Prefix>();
  readonly #names = new Map<string, Name>();

  constructor(owner: HeadOwner) {
    this.#owner = owner;
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
    let room = FRAME_HEAD_BYTES + SMALL_ROOM + prefix.length + TIMEOUT_ROOM;
    const { headers } = head;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = this.#name(headers[i]!).bytes;
      if (name !== null) room += name.length + headers[i + 1]!.length + SMALL_ROOM;
    }
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
    out.set(prefix, at);
    at = putTimeout(out, at + prefix.length, head.timeoutMs);
    const { headers } = head;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = this.#name(headers[i]!).bytes;
      if (name !== null) at = putCarried(out, at, name, headers[i + 1]!);
    }
    return at;
  }

  #prefix(path: string): Prefix {
    return this.#prefixes.get(path) ?? this.#makePrefix(path);
  }

  #makePrefix(path: string): Prefix {
    const { authority, secure } = this.#owner;
    const pairs = [':method', 'POST', ':scheme', secure ? 'https' : 'http', ':path', path, ':authority', authority];
    pairs.push('te', 'trailers', 'content-type', 'application/grpc', 'user-agent', 'sluice', 'grpc-accept-encoding', 'identity');
    let listBytes = 0;
    for (const text of pairs) listBytes += text.length + FIELD_OVERHEAD / 2;
    const prefix = { block: encodeFields(pairs), listBytes };
    if (this.#prefixes.size >= MAX_KEPT) this.#prefixes.clear();
    this.#prefixes.set(path, prefix);
    return prefix;
  }

  #name(name: string): Name {
    return this.#names.get(name) ?? this.#makeName(name);
  }

  #makeName(name: string): Name {
    const lower = name.toLowerCase();
    const made = { bytes: this.#owner.isCarried(lower) ? nameBytes(lower) : null };
    if (this.#names.size >= MAX_KEPT) this.#names.clear();
    this.#names.set(name, made);
    return made;
  }
}

/** What is a call's own. `headers` is name, value, name, value. */
export interface CallHead {
  readonly path: string;
  readonly timeoutMs: number;
  readonly headers: readonly string[];
}

function nameBytes(name: string): Buffer {
  const out = Buffer.alloc(name.length + 12);
  return Buffer.from(out.subarray(0, putName(out, 0, name, SECRETS.has(name))));
}

/** A value that gRPC does not carry, or that begins or ends with a blank (RFC 9113, 8.2.1), is left out, and its name with it. */
function putCarried(out: Buffer, from: number, name: Buffer, value: string): number {
  if (value.charCodeAt(0) === SPACE || value.charCodeAt(value.length - 1) === SPACE) return from;
  out.set(name, from);
  let at = putInteger(out, from + name.length, 0, 0x7f, value.length);
  for (let i = 0; i < value.length; i++) {
    const octet = value.charCodeAt(i);
    if (octet < SPACE || octet > LAST_PRINTABLE) return from;
    out[at++] = octet;
  }
  return at;
}

const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** `grpc-timeout` has eight digits at most, so that long ones are told in seconds. */
const MAX_DIGITS_MS = 99_999_999;

function putTimeout(out: Buffer, from: number, timeoutMs: number): number {
  out.set(TIMEOUT_NAME, from);
  const inMs = timeoutMs <= MAX_DIGITS_MS;
  let rest = inMs ? timeoutMs : Math.min(Math.ceil(timeoutMs / 1_000), MAX_DIGITS_MS);
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits++;
  const at = from + TIMEOUT_NAME.length;
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
