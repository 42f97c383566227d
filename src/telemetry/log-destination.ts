import { LineBytes } from './line-bytes.ts';
import { LogDescriptor } from './log-descriptor.ts';

/** Where finished log lines go. */
export interface LogDestination {
  /** A whole line. Never blocks and never throws. */
  write(line: string): void;
  /** Where a line of at most so many bytes may be written, as bytes behind what is there; null when there is none, and a line is lost. */
  room(bytes: number): LineBytes | null;
  /** The line is whole. One that is not said to be is not written. */
  added(): void;
  /** Lines lost because this could not take them. */
  readonly linesDropped: number;
  /** Resolves when what was written so far has left this process, or after a bounded wait. Never rejects. */
  flush(): Promise<void>;
}

/** One piece that is gathered: some hundred lines. */
const PIECE_BYTES = 65_536;
/** A quiet gateway writes after this time. */
const MAX_DELAY_MS = 250;
/** Past this the reader is too slow, and lines are dropped rather than kept. */
const MAX_WAITING_BYTES = 8_388_608;
/** After a failed write: a full disk or a full pipe may have room again. */
const RETRY_MS = 100;
const FLUSH_LIMIT_MS = 3_000;

/**
 * Appends to a file or descriptor in the background, one piece at a time; what comes meanwhile goes with the next. pino's own
 * destination spends 3 µs a line on its buffers, and loops for ever at exit when the disk is full.
 *
 *   lines ─→ gathering ─→ waiting, when it is full ─→ leaving ─→ descriptor
 */
export class BufferedDestination implements LogDestination {
  readonly #descriptor: LogDescriptor;
  readonly #begin = (): void => this.#beginWrite();
  readonly #flushWaits: (() => void)[] = [];
  readonly #waiting: LineBytes[] = [];
  #timer: NodeJS.Timeout | null = null;
  #gathering = newPiece();
  /** Bytes of whole lines in `#gathering`. */
  #gathered = 0;
  /** Those and the bytes of `#waiting`. */
  #waitingBytes = 0;
  /** What is being written, from `#at` on; null when nothing is. */
  #leaving: LineBytes | null = null;
  #at = 0;
  /** A piece that has left, to be filled again. */
  #spare: LineBytes | null = null;
  #failing = false;
  #dropped = 0;

  /** A file descriptor, or the path of a file to append to. */
  constructor(dest: number | string) {
    this.#descriptor = new LogDescriptor(dest);
    process.once('exit', () => this.#writeLast());
  }

  get linesDropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    const room = this.room(bytes.length);
    if (room === null) return;
    room.raw(bytes);
    this.added();
  }

  /** @hot */
  room(bytes: number): LineBytes | null {
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped++;
      return null;
    }
    const piece = this.#gathering;
    piece.length = this.#gathered;
    if (piece.free >= bytes) return piece;
    this.#seal();
    if (this.#gathering.free < bytes) this.#gathering = new LineBytes(Buffer.allocUnsafeSlow(bytes));
    return this.#gathering;
  }

  /** @hot */
  added(): void {
    this.#waitingBytes += this.#gathering.length - this.#gathered;
    this.#gathered = this.#gathering.length;
    if (this.#leaving !== null) return;
    if (this.#waitingBytes >= this.#descriptor.worthBytes) this.#beginWrite();
    else if (this.#timer === null) this.#later(MAX_DELAY_MS);
  }

  flush(): Promise<void> {
    if (this.#leaving === null && this.#waitingBytes === 0) return Promise.resolve();
    const flushed = new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, FLUSH_LIMIT_MS);
      this.#flushWaits.push(() => {
        clearTimeout(limit);
        resolve();
      });
    });
    if (this.#leaving === null) this.#beginWrite();
    return flushed;
  }

  /** What was gathered waits behind the rest; lines that come go elsewhere. */
  #seal(): void {
    if (this.#gathered === 0) return;
    this.#waiting.push(this.#gathering);
    this.#gathering = this.#spare === null ? newPiece() : this.#spare;
    this.#spare = null;
    this.#gathered = 0;
  }

  #later(ms: number): void {
    this.#timer = setTimeout(this.#begin, ms).unref();
  }

  #beginWrite(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#leaving === null) {
      if (this.#waiting.length === 0) this.#seal();
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#leaving = next;
      this.#waitingBytes -= next.length;
      this.#at = 0;
    }
    const { bytes, length } = this.#leaving;
    this.#at += this.#descriptor.writeNow(bytes, this.#at, length);
    if (this.#at === length) this.#left();
    else this.#descriptor.write(bytes, this.#at, length, this.#written);
  }

  readonly #written = (error: NodeJS.ErrnoException | null, bytes: number): void => {
    this.#failing = error !== null;
    if (error !== null) {
      // Nobody could be told but by this log. The piece is kept, and what does not fit behind it is counted as dropped.
      this.#later(RETRY_MS);
      return;
    }
    this.#at += bytes;
    if (this.#at === this.#leaving!.length) this.#left();
    else this.#beginWrite();
  };

  /** A flush that waits wants all that has come until now; otherwise the next write waits until it is worth it. */
  #left(): void {
    const piece = this.#leaving!;
    this.#leaving = null;
    if (piece.bytes.length === PIECE_BYTES) {
      piece.length = 0;
      this.#spare = piece;
    }
    if (this.#waitingBytes === 0) this.#endFlushes();
    else {
      // In a turn of its own: one piece at a time may hold up the loop, and not all that have gathered before a slow reader.
      const due = this.#waitingBytes >= this.#descriptor.worthBytes || this.#flushWaits.length > 0;
      this.#later(due ? 0 : MAX_DELAY_MS);
    }
  }

  #endFlushes(): void {
    for (const resolve of this.#flushWaits.splice(0)) resolve();
  }

  /** At exit only blocking writes are left. None where a write has failed or is still under way: it could block for ever. */
  #writeLast(): void {
    if (this.#failing || this.#leaving !== null) return;
    this.#gathering.length = this.#gathered;
    for (const piece of [...this.#waiting, this.#gathering]) this.#descriptor.writeLast(piece.bytes, piece.length);
    this.#waiting.length = 0;
    this.#gathered = 0;
  }
}

const newPiece = (): LineBytes => new LineBytes(Buffer.allocUnsafeSlow(PIECE_BYTES));
