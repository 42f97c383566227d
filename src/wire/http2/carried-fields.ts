import { putBytes } from '../../core/put-bytes.ts';
import { putInteger, putName } from './hpack/encoder.ts';

/** No table on the way may keep these (RFC 7541, 7.1.3). */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);
/** Names that are kept as they are written; there are a handful. */
const MAX_KEPT = 256;
/** What a field takes beside its name and its value: two lengths, of no more than what fits in a frame, and how it is kept. */
const FIELD_ROOM = 9;

interface Name {
  /** As a literal field begins; null where the name is not carried. */
  readonly bytes: Buffer | null;
}

/** Header fields that others state (name, value, name, value), as part of a header block; each name is made once. */
export class CarriedFields {
  readonly #isCarried: (name: string) => boolean;
  readonly #names = new Map<string, Name>();

  /** `isCarried` is asked with the name in lower case. */
  constructor(isCarried: (name: string) => boolean) {
    this.#isCarried = isCarried;
  }

  /** As much as `put` can need. @hot */
  room(headers: readonly string[]): number {
    let room = 0;
    for (let i = 0; i + 1 < headers.length; i += 2) room += headers[i]!.length + headers[i + 1]!.length + FIELD_ROOM;
    return room;
  }

  /** @hot */
  put(out: Buffer, from: number, headers: readonly string[]): number {
    let at = from;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = this.#name(headers[i]!).bytes;
      if (name !== null) at = putCarried(out, at, name, headers[i + 1]!);
    }
    return at;
  }

  #name(name: string): Name {
    return this.#names.get(name) ?? this.#makeName(name);
  }

  #makeName(name: string): Name {
    const lower = name.toLowerCase();
    const made = { bytes: this.#isCarried(lower) ? nameBytes(lower) : null };
    if (this.#names.size >= MAX_KEPT) this.#names.clear();
    this.#names.set(name, made);
    return made;
  }
}

/** `name` as a literal field begins. */
export function nameBytes(name: string): Buffer {
  const out = Buffer.alloc(name.length + 12);
  return Buffer.from(out.subarray(0, putName(out, 0, name, SECRETS.has(name))));
}

/** A value that gRPC does not carry, or that begins or ends with a blank (RFC 9113, 8.2.1), is left out, and its name with it. */
function putCarried(out: Buffer, from: number, name: Buffer, value: string): number {
  if (value.charCodeAt(0) === SPACE || value.charCodeAt(value.length - 1) === SPACE) return from;
  const { length } = value;
  const at = putInteger(out, putBytes(out, from, name), 0, 0x7f, length);
  for (let i = 0; i < length; i++) {
    const octet = value.charCodeAt(i);
    if (octet < SPACE || octet > LAST_PRINTABLE) return from;
    out[at + i] = octet;
  }
  return at + length;
}

const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;
