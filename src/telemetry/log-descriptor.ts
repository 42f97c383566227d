import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';

/**
 * Several processes write to one pipe, and the system keeps a write whole only up to this: past it a full pipe mixes the lines of one with
 * those of another. This is what Linux has; elsewhere it may be less.
 */
const PIPE_WHOLE_BYTES = 4_096;
/** Bytes gathered before they go to a pipe: a quarter of what it holds, so that several processes find room at once. */
const PIPE_WORTH_BYTES = 16_384;
/** The same for all else, where a thread writes them at once. */
const WORTH_BYTES = 49_152;
const LINE_END = 0x0a;
const NONE = -1;

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void;

/**
 * A file, pipe or terminal as lines are written to it. A pipe takes only small writes, and by way of a thread each of them costs
 * 25 µs against 3 µs. So it is opened once more without blocking: what it has room for it is given at once, and a thread waits for room only where
 * there is none. Others see nothing of that; without blocking on the descriptor itself they would share it.
 */
export class LogDescriptor {
  /** As many bytes are worth a write. */
  readonly worthBytes: number;
  readonly #fd: number;
  /** The same pipe, where a write fails that had to wait; NONE where there is no pipe, or it cannot be had. */
  readonly #instant: number;
  /** Most bytes of one write. */
  readonly #maxBytes: number;

  /** A file descriptor, or the path of a file to append to. */
  constructor(dest: number | string) {
    this.#fd = typeof dest === 'number' ? dest : openSync(dest, 'a', 0o600);
    const isPipe = fstatSync(this.#fd).isFIFO();
    this.#maxBytes = isPipe ? PIPE_WHOLE_BYTES : Number.POSITIVE_INFINITY;
    this.worthBytes = isPipe ? PIPE_WORTH_BYTES : WORTH_BYTES;
    this.#instant = isPipe ? openedAgain(this.#fd) : NONE;
  }

  /** Writes what can be written without waiting, and says how many bytes that were. */
  writeNow(bytes: Buffer, from: number, end: number): number {
    if (this.#instant === NONE) return 0;
    let at = from;
    try {
      while (at < end) {
        const size = wholeLines(bytes, at, end, this.#maxBytes);
        // A part of a long line could be taken, and another's line come behind it.
        if (size > this.#maxBytes) break;
        at += writeSync(this.#instant, bytes, at, size);
      }
    } catch {
      // There is no room, or nobody who reads: `write` waits, or finds out which.
    }
    return at - from;
  }

  /** Writes some whole lines on another thread, for as long as it takes. */
  write(bytes: Buffer, at: number, end: number, written: Written): void {
    write(this.#fd, bytes, at, wholeLines(bytes, at, end, this.#maxBytes), null, written);
  }

  /** Writes all of it, and waits. */
  writeLast(bytes: Buffer, end: number): void {
    let at = 0;
    try {
      while (at < end) at += writeSync(this.#fd, bytes, at, wholeLines(bytes, at, end, this.#maxBytes));
    } catch {
      // The descriptor takes nothing: there is nobody left to tell, and the exit code must stay what it was.
    }
  }
}

/** Where the system has no such name, or forbids it, threads do all the writing. */
function openedAgain(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return NONE;
  }
}

/** Bytes from `at` that go out together: whole lines, as many as `maxBytes` holds, and one at least. */
export function wholeLines(bytes: Buffer, at: number, end: number, maxBytes: number): number {
  const left = end - at;
  if (left <= maxBytes) return left;
  const last = bytes.lastIndexOf(LINE_END, at + maxBytes - 1);
  if (last >= at) return last + 1 - at;
  const next = bytes.indexOf(LINE_END, at);
  return next < 0 || next >= end ? left : next + 1 - at;
}
