/** What an entry costs beyond its octets (RFC 7541, 4.1). */
export const ENTRY_OVERHEAD = 32;

const FIRST_ROOM = 16;

/**
 * The dynamic table of RFC 7541, 2.3.2: the newest entry is the first, and the oldest make room. A ring that grows to what is really used.
 */
export class DynamicTable {
  /** What all entries may cost; the other side's encoder moves it within the limit that was set for it. */
  maxBytes: number;
  /** What they cost. */
  bytes = 0;
  count = 0;
  /** Another number after each change: what is told by an index may then be something else. */
  version = 0;
  #names: string[] = [];
  #values: string[] = [];
  #wellFormed: boolean[] = [];
  /** A power of two less one; -1 before there is any entry. */
  #mask = -1;
  /** Where the newest entry is. */
  #head = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The n-th entry, from 0 for the newest; it has to be there. */
  name(n: number): string {
    return this.#names[(this.#head - n) & this.#mask]!;
  }

  value(n: number): string {
    return this.#values[(this.#head - n) & this.#mask]!;
  }

  wellFormed(n: number): boolean {
    return this.#wellFormed[(this.#head - n) & this.#mask]!;
  }

  /** One that is larger than the table empties it, which is no error (RFC 7541, 4.4). */
  add(name: string, value: string, wellFormed: boolean): void {
    const cost = name.length + value.length + ENTRY_OVERHEAD;
    // A table without room for it that is empty stays as it is.
    if (cost <= this.maxBytes || this.count > 0) this.version++;
    this.#evictTo(this.maxBytes - cost);
    if (cost > this.maxBytes) return;
    if (this.count > this.#mask) this.#grow();
    this.#head = (this.#head + 1) & this.#mask;
    this.#names[this.#head] = name;
    this.#values[this.#head] = value;
    this.#wellFormed[this.#head] = wellFormed;
    this.bytes += cost;
    this.count++;
  }

  resize(maxBytes: number): void {
    this.version++;
    this.maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #evictTo(bytes: number): void {
    while (this.count > 0 && this.bytes > bytes) {
      const oldest = (this.#head - this.count + 1) & this.#mask;
      this.bytes -= this.#names[oldest]!.length + this.#values[oldest]!.length + ENTRY_OVERHEAD;
      this.#names[oldest] = '';
      this.#values[oldest] = '';
      this.count--;
    }
  }

  #grow(): void {
    const room = this.#mask < 0 ? FIRST_ROOM : (this.#mask + 1) * 2;
    const names = new Array<string>(room).fill('');
    const values = new Array<string>(room).fill('');
    const wellFormed = new Array<boolean>(room).fill(true);
    for (let n = 0; n < this.count; n++) {
      const at = this.count - 1 - n;
      names[at] = this.name(n);
      values[at] = this.value(n);
      wellFormed[at] = this.wellFormed(n);
    }
    this.#names = names;
    this.#values = values;
    this.#wellFormed = wellFormed;
    this.#mask = room - 1;
    this.#head = (this.count - 1) & this.#mask;
  }
}
