import { fstatSync, openSync, write, writeSync } from 'node:fs';

/** Where finished log lines go. */
export interface LogDestination {
  /** A whole line. Never blocks and never throws. */
  write(line: string): void;
  /** Lines lost because this could not take them. */
  readonly linesDropped: number;
  /** Resolves when what was written so far has left this process, or after a bounded wait. Never rejects. */
  flush(): Promise<void>;
}

/** Characters gathered before they go to the system: one write for some 30 lines. */
const GATHERED = 16_384;
/**
 * Several processes write to one pipe, and the system keeps a write whole only up to this: past it a full pipe mixes the lines of one with
 * those of another. This is what Linux has; elsewhere it may be less.
 */
const PIPE_WHOLE_BYTES = 4_096;
const LINE_END = 0x0a;
/** A quiet gateway writes after this time. */
const MAX_DELAY_MS = 250;
/** Past this the reader is too slow, and lines are dropped rather than kept. */
const MAX_WAITING = 8_388_608;
/** After a failed write: a full disk or a full pipe may have room again. */
const RETRY_MS = 100;
const FLUSH_LIMIT_MS = 3_000;

/**
 * Appends to a file or descriptor in the background, one write at a time; what comes meanwhile goes with the next. pino's own
 * destination spends 3 µs a line on its buffers, and loops for ever at exit when the disk is full.
 */
export class BufferedDestination implements LogDestination {
  readonly #fd: number;
  /** Most bytes of one write. */
  readonly #maxBytes: number;
  readonly #begin = (): void => this.#beginWrite();
  readonly #flushWaits: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #gathered = '';
  /** What is being written, from `#at` on; null when nothing is. */
  #piece: Buffer | null = null;
  #at = 0;
  #failing = false;
  #dropped = 0;

  /** A file descriptor, or the path of a file to append to. */
  constructor(dest: number | string) {
    this.#fd = typeof dest === 'number' ? dest : openSync(dest, 'a', 0o600);
    this.#maxBytes = fstatSync(this.#fd).isFIFO() ? PIPE_WHOLE_BYTES : Number.POSITIVE_INFINITY;
    process.once('exit', () => this.#writeLast());
  }

  get linesDropped(): number {
    return this.#dropped;
  }

  /** @hot */
  write(line: string): void {
    if (this.#gathered.length + line.length > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#gathered += line;
    if (this.#piece !== null) return;
    if (this.#gathered.length >= GATHERED) this.#beginWrite();
    else if (this.#timer === null) this.#timer = setTimeout(this.#begin, MAX_DELAY_MS).unref();
  }

  flush(): Promise<void> {
    if (this.#piece === null) this.#beginWrite();
    if (this.#piece === null) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, FLUSH_LIMIT_MS);
      this.#flushWaits.push(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  #beginWrite(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#piece === null) {
      if (this.#gathered === '') return;
      this.#piece = Buffer.from(this.#gathered);
      this.#gathered = '';
      this.#at = 0;
    }
    write(this.#fd, this.#piece, this.#at, wholeLines(this.#piece, this.#at, this.#maxBytes), null, this.#written);
  }

  readonly #written = (error: NodeJS.ErrnoException | null, bytes: number): void => {
    this.#failing = error !== null;
    if (error !== null) {
      // Nobody could be told but by this log. The piece is kept, and what does not fit behind it is counted as dropped.
      this.#timer = setTimeout(this.#begin, RETRY_MS).unref();
      return;
    }
    this.#at += bytes;
    if (this.#at >= this.#piece!.length) this.#piece = null;
    // A flush that waits wants all that has come until now; otherwise the next write waits until it is worth it.
    if (this.#piece !== null || this.#gathered.length >= GATHERED || this.#flushWaits.length > 0) this.#beginWrite();
    else if (this.#gathered !== '') this.#timer = setTimeout(this.#begin, MAX_DELAY_MS).unref();
    if (this.#piece === null) this.#endFlushes();
  };

  #endFlushes(): void {
    for (const resolve of this.#flushWaits.splice(0)) resolve();
  }

  /** At exit only blocking writes are left. None where a write has failed or is still under way: it could block for ever. */
  #writeLast(): void {
    if (this.#failing || this.#piece !== null) return;
    try {
      const piece = Buffer.from(this.#gathered);
      let at = 0;
      while (at < piece.length) at += writeSync(this.#fd, piece, at);
    } catch {
      // The descriptor takes nothing: there is nobody left to tell, and the exit code must stay what it was.
    }
    this.#gathered = '';
  }
}

/** Bytes from `at` that go out together: whole lines, as many as `maxBytes` holds, and one at least. */
export function wholeLines(piece: Buffer, at: number, maxBytes: number): number {
  const left = piece.length - at;
  if (left <= maxBytes) return left;
  const last = piece.lastIndexOf(LINE_END, at + maxBytes - 1);
  if (last >= at) return last + 1 - at;
  const next = piece.indexOf(LINE_END, at);
  return next < 0 ? left : next + 1 - at;
}
