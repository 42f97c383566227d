import { closeSync, openSync, readSync } from 'node:fs';
import { ChainCheck, GENESIS, MAX_LINE_BYTES } from './audit-chain.ts';

/** Follows the chain of a whole audit file, piece by piece. */

export interface Verification {
  /** Good lines before the first problem. */
  readonly records: number;
  /** Hash of the last of them. */
  readonly head: string;
  /** Null when there is nothing wrong. */
  readonly problem: { readonly line: number; readonly message: string } | null;
  /** Number of the record that the wanted head belongs to; null when none was wanted. */
  readonly headSeq: number | null;
}

const PIECE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** `wanted` is a head that was seen earlier, empty for none. Throws where the file cannot be read. */
export function verifyAudit(file: string, wanted: string): Verification {
  const run = new Run(wanted);
  const fd = openSync(file, 'r');
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    while (run.problem === null) {
      const read = readSync(fd, piece, 0, PIECE_BYTES, null);
      if (read === 0) break;
      rest = run.take(Buffer.concat([rest, piece.subarray(0, read)]));
    }
    return run.end(rest);
  } finally {
    closeSync(fd);
  }
}

class Run {
  problem: Verification['problem'] = null;
  readonly #check = new ChainCheck('start');
  readonly #wanted: string;
  #lines = 0;
  #headSeq: number | null = null;

  constructor(wanted: string) {
    this.#wanted = wanted;
    // The head of a file in which nothing stood yet.
    if (wanted === GENESIS) this.#headSeq = 0;
  }

  /** Returns what has no end yet. */
  take(bytes: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#line(bytes.subarray(at, end));
      if (this.problem !== null) return Buffer.alloc(0);
      at = end + 1;
    }
    if (bytes.length - at > MAX_LINE_BYTES) this.#fail(`is longer than ${MAX_LINE_BYTES} bytes`);
    // The piece it lies in is read into again.
    return Buffer.from(bytes.subarray(at));
  }

  end(rest: Buffer): Verification {
    if (this.problem === null && rest.length > 0) this.#fail('has no end: it was torn, or the end of the line was changed');
    const { seq, head } = this.#check;
    if (this.problem === null && this.#wanted !== '' && this.#headSeq === null) {
      const message = `no line has the hash ${this.#wanted}: the end was cut off, or this is another file`;
      this.problem = { line: this.#lines + 1, message };
    }
    return { records: seq, head, problem: this.problem, headSeq: this.#headSeq };
  }

  #line(line: Buffer): void {
    const problem = this.#check.next(line);
    if (problem !== '') {
      this.#fail(problem);
      return;
    }
    this.#lines++;
    if (this.#check.head === this.#wanted) this.#headSeq = this.#check.seq;
  }

  #fail(what: string): void {
    this.problem = { line: this.#lines + 1, message: `line ${this.#lines + 1} ${what}` };
  }
}
