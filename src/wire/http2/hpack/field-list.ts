import { ENTRY_OVERHEAD } from './dynamic-table.ts';

/** The fields of one header block in their order, used again for the next. Strings have one character for each octet. */
export class FieldList {
  /** How many there are; what stands behind them is of an earlier block. */
  count = 0;
  readonly names: string[] = [];
  readonly values: string[] = [];
  /** Size as RFC 9113, 6.5.2 counts it for SETTINGS_MAX_HEADER_LIST_SIZE. */
  bytes = 0;
  /** There were more, or longer ones, than are taken: those are not here. */
  tooLarge = false;
  /** A name or value has octets that RFC 9113, 8.2.1 does not allow: the message is malformed. */
  malformed = false;
  /** What a reader has made of it, for as long as it stays as it is: the same list comes again with the same block. */
  reading: object | null = null;
  readonly #maxCount: number;
  readonly #maxBytes: number;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  clear(): void {
    this.count = 0;
    this.bytes = 0;
    this.tooLarge = false;
    this.malformed = false;
    this.reading = null;
  }

  add(name: string, value: string, wellFormed: boolean): void {
    this.bytes += name.length + value.length + ENTRY_OVERHEAD;
    if (!wellFormed) this.malformed = true;
    if (this.bytes > this.#maxBytes || this.count >= this.#maxCount) {
      this.tooLarge = true;
      return;
    }
    this.names[this.count] = name;
    this.values[this.count] = value;
    this.count++;
  }

  /** The value of the first field of that name, or null. */
  find(name: string): string | null {
    for (let i = 0; i < this.count; i++) if (this.names[i] === name) return this.values[i]!;
    return null;
  }
}
