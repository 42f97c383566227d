import { type Datatype, elementBytes } from '../../core/datatype.ts';
import type { FieldReader } from './field-reader.ts';

/** Writes varints as little-endian elements of one integer datatype, one after another. Works on 32-bit halves, so 64 bits stay exact. */
export class IntegerSink {
  readonly #datatype: Datatype;
  readonly #data: Uint8Array;
  readonly #width: number;
  readonly #isSigned: boolean;
  #at = 0;

  /** `data` must hold as many elements as will be taken. */
  constructor(datatype: Datatype, data: Uint8Array) {
    this.#datatype = datatype;
    this.#data = data;
    this.#width = elementBytes(datatype);
    this.#isSigned = datatype.startsWith('INT');
  }

  /** Takes the varint that comes next in `reader`. One outside the datatype is a problem and never cut to fit. @hot */
  take(reader: FieldReader): void {
    if (!reader.varint()) return;
    let { low, high } = reader;
    if (this.#datatype === 'BOOL') {
      // Any number but zero means true in protobuf; in a tensor only 1 does.
      low = low !== 0 || high !== 0 ? 1 : 0;
      high = 0;
    } else if (!this.#fits(low, high)) {
      reader.fail(`an element lies outside ${this.#datatype}`);
      return;
    }
    this.#put(low, this.#width > 4 ? 4 : this.#width);
    if (this.#width === 8) this.#put(high, 4);
  }

  #fits(low: number, high: number): boolean {
    const bits = this.#width * 8;
    if (bits === 64) return true;
    if (!this.#isSigned) return high === 0 && (bits === 32 || low >>> bits === 0);
    // What is left above the datatype must be copies of the sign bit, up to bit 63.
    const sign = low >> 31;
    return high === sign >>> 0 && low >> (bits - 1) === sign;
  }

  #put(half: number, bytes: number): void {
    let rest = half;
    for (let i = 0; i < bytes; i++) {
      this.#data[this.#at++] = rest;
      rest >>>= 8;
    }
  }
}
