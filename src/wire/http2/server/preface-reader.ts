import { PREFACE } from '../frames/frame-format.ts';

/** What `read` answers when no frame begins in the bytes: the preface goes on behind them, or is none. */
export const Preface = { GoesOn: -1, Wrong: -2 } as const;

/** Reads the octets with which a client begins (RFC 9113, 3.4). */
export class PrefaceReader {
  #have = 0;

  /** Where frames begin in `chunk`. @hot */
  read(chunk: Buffer): number {
    if (this.#have === PREFACE.length) return 0;
    const bytes = Math.min(chunk.length, PREFACE.length - this.#have);
    if (chunk.compare(PREFACE, this.#have, this.#have + bytes, 0, bytes) !== 0) return Preface.Wrong;
    this.#have += bytes;
    return this.#have === PREFACE.length ? bytes : Preface.GoesOn;
  }
}
