import { HUFFMAN_CODES } from '../../src/wire/http2/hpack/huffman-code.ts';
import { STATIC_LAST, STATIC_NAMES, STATIC_VALUES } from '../../src/wire/http2/hpack/static-table.ts';

/** An HPACK encoder that is naive and complete: it does whatever a test tells it, with a plain array for a table. */

export interface ModelField {
  readonly name: string;
  readonly value: string;
  /** How it is written where its text does not stand in a table already. */
  readonly form: 'kept' | 'plain' | 'secret';
  readonly coded: boolean;
  /** Take an entry of a table where there is one. */
  readonly short: boolean;
}

export class HpackModel {
  readonly #table: [name: string, value: string][] = [];
  #maxBytes = 4_096;

  resize(bytes: number): Buffer {
    this.#maxBytes = bytes;
    this.#evict();
    return integer(0x20, 5, bytes);
  }

  get size(): number {
    return this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  }

  encode(field: ModelField): Buffer {
    const { name, value, form, coded, short } = field;
    const whole = short ? this.#find(([n, v]) => n === name && v === value) : 0;
    if (whole > 0) return integer(0x80, 7, whole);
    const index = short ? this.#find(([n]) => n === name) : 0;
    const [pattern, bits] = form === 'kept' ? [0x40, 6] : [form === 'secret' ? 0x10 : 0, 4];
    const parts = [integer(pattern!, bits!, index)];
    if (index === 0) parts.push(text(name, coded));
    parts.push(text(value, coded));
    if (form === 'kept') {
      this.#table.unshift([name, value]);
      this.#evict();
    }
    return Buffer.concat(parts);
  }

  #evict(): void {
    while (this.size > this.#maxBytes) this.#table.pop();
  }

  #find(fits: (entry: readonly [string, string]) => boolean): number {
    for (let i = 1; i <= STATIC_LAST; i++) if (fits([STATIC_NAMES[i]!, STATIC_VALUES[i]!])) return i;
    const at = this.#table.findIndex(fits);
    return at < 0 ? 0 : at + STATIC_LAST + 1;
  }
}

export function integer(pattern: number, bits: number, value: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const octets = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  return Buffer.from([...octets, rest]);
}

export function text(value: string, coded: boolean): Buffer {
  const octets = coded ? huffman(value) : Buffer.from(value, 'latin1');
  return Buffer.concat([integer(coded ? 0x80 : 0, 7, octets.length), octets]);
}

export function huffman(value: string): Buffer {
  let bits = '';
  for (const octet of Buffer.from(value, 'latin1')) {
    const { bits: length, code } = HUFFMAN_CODES[octet]!;
    bits += code.toString(2).padStart(length, '0');
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}
