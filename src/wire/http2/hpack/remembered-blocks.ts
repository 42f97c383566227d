import { FieldList } from './field-list.ts';

/** A head, trailers, and the same of another method: what one connection says again and again. */
const KEPT = 4;
/** Longer blocks are seldom the same twice. */
const MAX_BLOCK_BYTES = 512;
const FIRST_ROOM = 64;

/** A block that was decoded without any change to the table, and what it said. */
class RememberedBlock {
  readonly fields: FieldList;
  /** Octets of the block; -1 while there is none. */
  length = -1;
  bytes: Uint8Array = NOTHING;
  /** The state of the table by which it was decoded. */
  version = 0;

  constructor(maxFields: number, maxListBytes: number) {
    this.fields = new FieldList(maxFields, maxListBytes);
  }
}

/**
 * The last header blocks of a connection: one that comes again, octet by octet, while the table has not changed says the same again, and need
 * not be decoded. Callers and servers repeat themselves wherever nothing in a call's metadata is its own.
 */
export class RememberedBlocks {
  readonly #kept: RememberedBlock[] = [];
  readonly #maxFields: number;
  readonly #maxListBytes: number;
  /** For blocks that are not remembered. */
  readonly #passing: FieldList;
  /** Whose turn it is to be forgotten. */
  #next = -1;

  constructor(maxFields: number, maxListBytes: number) {
    this.#maxFields = maxFields;
    this.#maxListBytes = maxListBytes;
    this.#passing = new FieldList(maxFields, maxListBytes);
  }

  /** What the same octets said by the same table; null when that is not known. @hot */
  find(block: Uint8Array, from: number, to: number, version: number): FieldList | null {
    const kept = this.#kept;
    const length = to - from;
    for (let i = 0; i < kept.length; i++) {
      const known = kept[i]!;
      if (known.length === length && known.version === version && isSame(known.bytes, block, from, length)) return known.fields;
    }
    return null;
  }

  /** An empty list for a block that is to be decoded now. @hot */
  take(length: number): FieldList {
    if (length > MAX_BLOCK_BYTES) {
      this.#passing.clear();
      return this.#passing;
    }
    this.#next = this.#next + 1 === KEPT ? 0 : this.#next + 1;
    if (this.#next === this.#kept.length) this.#kept.push(new RememberedBlock(this.#maxFields, this.#maxListBytes));
    const block = this.#kept[this.#next]!;
    block.length = -1;
    block.fields.clear();
    return block.fields;
  }

  /** The list that was taken last is what these octets say. @hot */
  keep(block: Uint8Array, from: number, to: number, version: number): void {
    const length = to - from;
    if (length > MAX_BLOCK_BYTES) return;
    const known = this.#kept[this.#next]!;
    if (known.bytes.length < length) known.bytes = new Uint8Array(Math.max(FIRST_ROOM, length));
    for (let i = 0; i < length; i++) known.bytes[i] = block[from + i]!;
    known.length = length;
    known.version = version;
  }
}

const NOTHING = new Uint8Array(0);

function isSame(known: Uint8Array, block: Uint8Array, from: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (known[i] !== block[from + i]) return false;
  return true;
}
