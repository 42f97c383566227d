import { DynamicTable } from './dynamic-table.ts';
import { FieldList } from './field-list.ts';
import { isFieldName, isFieldValue } from './field-rules.ts';
import { huffmanDecode, huffmanRoom } from './huffman.ts';
import { RememberedBlocks } from './remembered-blocks.ts';
import { STATIC_LAST, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

export interface HpackLimits {
  /** SETTINGS_HEADER_TABLE_SIZE as it was told to the other side. */
  readonly tableBytes: number;
  readonly maxFields: number;
  /** Of one list, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  readonly maxListBytes: number;
}

/** The size of a table before anybody has said anything (RFC 9113, 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4_096;

/** Integers beyond this are a decoding error (RFC 7541, 5.1 leaves the limit to us); four more octets reach it. */
const MAX_INTEGER = 0x0fff_ffff;
const MAX_INTEGER_SHIFT = 28;

/**
 * Decodes header blocks of one connection (RFC 7541, 3.2 and 6). A list that is too large is decoded to its end all the same, since the
 * table is shared by all blocks of the connection.
 */
export class HpackDecoder {
  /** The fields of the last block; the same list where the same block has come again. */
  fields: FieldList;
  /** Why the last block could not be decoded. */
  problem = '';
  readonly #table: DynamicTable;
  readonly #blocks: RememberedBlocks;
  #limitBytes: number;
  /** The limit went below the table's size: the next block has to begin with a size update (RFC 7541, 4.2). */
  #updateOwed = false;
  #block: Buffer = EMPTY;
  #at = 0;
  #end = 0;
  #scratch: Buffer = EMPTY;

  constructor(limits: HpackLimits) {
    this.#blocks = new RememberedBlocks(limits.maxFields, limits.maxListBytes);
    this.fields = new FieldList(limits.maxFields, limits.maxListBytes);
    this.#table = new DynamicTable(DEFAULT_TABLE_BYTES);
    // The other side knows a smaller limit only when it has acknowledged it.
    this.#limitBytes = Math.max(limits.tableBytes, DEFAULT_TABLE_BYTES);
  }

  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** The other side has acknowledged a SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    this.#limitBytes = bytes;
    // No update is waited for where nothing may be kept at all: one who writes no entries and tells nobody does no harm, and one who does has an
    // index that there is no entry for.
    if (bytes === 0) this.#table.resize(0);
    this.#updateOwed = this.#table.maxBytes > bytes;
  }

  /** Fills `fields`. False is a connection error of type COMPRESSION_ERROR (RFC 9113, 4.3). @hot */
  decode(block: Buffer, from: number, to: number): boolean {
    const { version } = this.#table;
    const known = this.#updateOwed ? null : this.#blocks.find(block, from, to, version);
    if (known !== null) {
      this.fields = known;
      return true;
    }
    this.fields = this.#blocks.take(to - from);
    if (!this.#read(block, from, to)) return false;
    if (this.#table.version === version) this.#blocks.keep(block, from, to, version);
    return true;
  }

  #read(block: Buffer, from: number, to: number): boolean {
    this.#block = block;
    this.#at = from;
    this.#end = to;
    let atStart = true;
    while (this.#at < this.#end) {
      const octet = block[this.#at]!;
      if ((octet & 0xe0) === 0x20) {
        // RFC 7541, 4.2.
        if (!atStart) return this.#fail('a table size update stands behind a field');
        if (!this.#resize()) return false;
        continue;
      }
      if (this.#updateOwed) return this.#fail('a table size update is owed and did not come');
      atStart = false;
      const done = (octet & 0x80) !== 0 ? this.#indexed() : this.#literal(octet);
      if (!done) return false;
    }
    this.#block = EMPTY;
    return true;
  }

  /** RFC 7541, 6.1. */
  #indexed(): boolean {
    const index = this.#integer(0x7f);
    if (index < 0) return false;
    const n = index - STATIC_LAST - 1;
    // RFC 7541, 2.3.3 and 6.1.
    if (index === 0 || n >= this.#table.count) return this.#fail(`there is no entry ${index}`);
    if (n < 0) this.fields.add(STATIC_NAMES[index]!, STATIC_VALUES[index]!, true);
    else this.fields.add(this.#table.name(n), this.#table.value(n), this.#table.wellFormed(n));
    return true;
  }

  /** RFC 7541, 6.2: with incremental indexing, without, or never indexed. */
  #literal(octet: number): boolean {
    const kept = (octet & 0x40) !== 0;
    const index = this.#integer(kept ? 0x3f : 0x0f);
    if (index < 0) return false;
    const n = index - STATIC_LAST - 1;
    if (n >= this.#table.count) return this.#fail(`there is no entry ${index}`);
    let name: string | null;
    if (index === 0) name = this.#text();
    else name = n < 0 ? STATIC_NAMES[index]! : this.#table.name(n);
    if (name === null) return false;
    const value = this.#text();
    if (value === null) return false;
    const wellFormed = (index === 0 || n >= 0 ? isFieldName(name) : true) && isFieldValue(value);
    if (kept) this.#table.add(name, value, wellFormed);
    this.fields.add(name, value, wellFormed);
    return true;
  }

  /** RFC 7541, 6.3. */
  #resize(): boolean {
    const bytes = this.#integer(0x1f);
    if (bytes < 0) return false;
    // RFC 7541, 4.2 and 6.3.
    if (bytes > this.#limitBytes) return this.#fail(`a table of ${bytes} bytes was asked for, ${this.#limitBytes} are allowed`);
    this.#table.resize(bytes);
    this.#updateOwed = false;
    return true;
  }

  /** RFC 7541, 5.1. `mask` covers the prefix. -1 where it is broken. */
  #integer(mask: number): number {
    const prefix = this.#block[this.#at++]! & mask;
    if (prefix < mask) return prefix;
    let value = mask;
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT; shift += 7) {
      if (this.#at >= this.#end) return this.#failed('an integer has no end');
      const octet = this.#block[this.#at++]!;
      // Multiplied, since a shift would wrap around.
      value += (octet & 0x7f) * 2 ** shift;
      if (value > MAX_INTEGER) break;
      if (octet < 0x80) return value;
    }
    return this.#failed('an integer is too large');
  }

  /** RFC 7541, 5.2. Null where it is broken. */
  #text(): string | null {
    if (this.#at >= this.#end) return this.#lost('a string is missing');
    const coded = (this.#block[this.#at]! & 0x80) !== 0;
    const length = this.#integer(0x7f);
    if (length < 0) return null;
    const from = this.#at;
    const to = from + length;
    if (to > this.#end) return this.#lost('a string is longer than its block');
    this.#at = to;
    if (!coded) return this.#block.toString('latin1', from, to);
    const room = huffmanRoom(length);
    if (this.#scratch.length < room) this.#scratch = Buffer.allocUnsafeSlow(Math.max(room, MIN_SCRATCH));
    const octets = huffmanDecode(this.#block, from, to, this.#scratch);
    return octets < 0 ? this.#lost('a string is not in the Huffman code') : this.#scratch.toString('latin1', 0, octets);
  }

  #fail(problem: string): false {
    this.problem = problem;
    return false;
  }

  #failed(problem: string): number {
    this.problem = problem;
    return -1;
  }

  #lost(problem: string): null {
    this.problem = problem;
    return null;
  }
}

const EMPTY = Buffer.alloc(0);
const MIN_SCRATCH = 256;
