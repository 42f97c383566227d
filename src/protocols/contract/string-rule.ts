import { isUtf8 } from 'node:buffer';
import type { InputRule } from '../../config/model-schema.ts';

const PREFIX_BYTES = 4;

/** What the strings of a BYTES input must be: not too long, UTF-8 where the rule says so, and one of the allowed ones where there are such. */
export class StringRule {
  /** As `ValueRule` states it. */
  readonly effort = 1;
  readonly #maxBytes: number;
  readonly #utf8: boolean;
  readonly #allowed: ReadonlySet<string> | null;

  constructor(rule: InputRule) {
    this.#maxBytes = rule.maxStringBytes;
    this.#utf8 = rule.utf8;
    const allowed = rule.allowedValues;
    this.#allowed = allowed === null ? null : new Set(allowed.filter((value) => typeof value === 'string'));
  }

  fault(data: Uint8Array): string {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const from = at + PREFIX_BYTES;
      const size = bytes.readUInt32LE(at);
      at = from + size;
      if (size > this.#maxBytes) return `value ${index} has ${size} bytes, at most ${this.#maxBytes} are allowed`;
      if (this.#utf8 && !isText(bytes, from, at)) return `value ${index} is not UTF-8`;
      if (this.#allowed !== null && !this.#allowed.has(bytes.toString('utf8', from, at))) {
        return `value ${index} is none of the allowed values`;
      }
    }
    return '';
  }
}

/** Most strings are plain ASCII, for which no view is made. */
function isText(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at]! >= 0x80) return isUtf8(bytes.subarray(at, to));
  }
  return true;
}
