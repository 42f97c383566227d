import type { Socket } from 'node:net';

/** One direction of a connection through the fault proxy, and what may go wrong in it. */

/** `at` and `from` count the bytes that have passed on the connection, in this direction, since the fault was set. */
export type LaneFault =
  | { readonly is: 'none' }
  /** So many bytes pass, then nothing more, the end of the stream included. */
  | { readonly is: 'hang'; readonly at: number }
  /** So many bytes pass, then both ends of the connection get a RST. */
  | { readonly is: 'reset'; readonly at: number }
  /** So many bytes pass, then a FIN; the other direction goes on. */
  | { readonly is: 'halfClose'; readonly at: number }
  /** Bytes from here on are replaced by as many others. */
  | { readonly is: 'garbage'; readonly from: number }
  /** So many bytes every so often. */
  | { readonly is: 'trickle'; readonly bytes: number; readonly everyMs: number }
  /** Every byte comes so much later. */
  | { readonly is: 'delay'; readonly ms: number };

export const NO_FAULT: LaneFault = Object.freeze({ is: 'none' });
export const HANG: LaneFault = Object.freeze({ is: 'hang', at: 0 });

const CAP_STEP_MS = 10;

/** A bandwidth as a trickle with a short step; below a hundred bytes a second it is coarser than it says. */
export function cappedAt(bytesPerSecond: number): LaneFault {
  return { is: 'trickle', bytes: Math.max(1, Math.round((bytesPerSecond * CAP_STEP_MS) / 1000)), everyMs: CAP_STEP_MS };
}

/** Bytes that wait here before the sender is made to wait. */
const MAX_QUEUED_BYTES = 65_536;

interface Chunk {
  readonly bytes: Buffer;
  readonly cameMs: number;
}

/** Carries bytes from one socket to another, under one fault at a time. */
export class FaultLane {
  /** Bytes handed on since the connection began. */
  passedBytes = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  #fault: LaneFault;
  #sinceFault = 0;
  #queue: Chunk[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #stepDue = false;
  #ended = false;
  #closed = false;

  constructor(from: Socket, to: Socket, fault: LaneFault) {
    this.#from = from;
    this.#to = to;
    this.#fault = fault;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.#pump();
    });
    to.on('drain', () => this.#pump());
  }

  /** What waits here passes under the new fault. */
  set(fault: LaneFault): void {
    this.#fault = fault;
    this.#sinceFault = 0;
    this.#stepDue = false;
    this.stop();
    this.#pump();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #take(bytes: Buffer): void {
    if (this.#closed) return;
    this.#queue.push({ bytes, cameMs: performance.now() });
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  #pump(): void {
    if (this.#timer === null && !this.#closed) this.#carry();
    if (this.#queuedBytes > MAX_QUEUED_BYTES || this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }

  /** Hands on as much as the fault allows now. */
  #carry(): void {
    while (this.#queue.length > 0 && !this.#closed && !this.#to.writableNeedDrain) {
      const allowed = this.#allowedBytes();
      if (allowed === 0) break;
      const chunk = this.#cut(allowed);
      this.#sinceFault += chunk.length;
      this.passedBytes += chunk.length;
      this.#to.write(chunk);
    }
    const fault = this.#fault;
    const full = (fault.is === 'reset' || fault.is === 'halfClose') && this.#sinceFault === fault.at;
    // Either comes with the first byte that may not pass, or at once where all before it has passed.
    if (full && (this.#queue.length > 0 || fault.at > 0)) this.#breakOff(fault.is);
    else if (this.#ended && this.#queue.length === 0 && fault.is !== 'hang' && !this.#closed) this.#close(() => this.#to.end());
  }

  /** 0 waits: for another fault, or for the timer that this sets. */
  #allowedBytes(): number {
    const fault = this.#fault;
    switch (fault.is) {
      case 'none':
      case 'garbage':
        return Number.POSITIVE_INFINITY;
      case 'hang':
      case 'reset':
      case 'halfClose':
        return fault.at - this.#sinceFault;
      case 'trickle': {
        const due = this.#stepDue;
        this.#stepDue = false;
        if (!due) this.#wait(fault.everyMs);
        return due ? fault.bytes : 0;
      }
      case 'delay': {
        const leftMs = this.#queue[0]!.cameMs + fault.ms - performance.now();
        if (leftMs <= 0) return this.#queue[0]!.bytes.length;
        this.#wait(leftMs);
        return 0;
      }
      default:
        return fault satisfies never;
    }
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#stepDue = true;
      this.#pump();
    }, ms);
  }

  /** Takes at most so many bytes from the head of the queue, as they are to arrive. */
  #cut(most: number): Buffer {
    const head = this.#queue[0]!;
    const bytes = head.bytes.subarray(0, most);
    if (bytes.length === head.bytes.length) this.#queue.shift();
    else this.#queue[0] = { bytes: head.bytes.subarray(bytes.length), cameMs: head.cameMs };
    this.#queuedBytes -= bytes.length;
    return this.#fault.is === 'garbage' ? garbled(bytes, this.#sinceFault, this.#fault.from) : bytes;
  }

  #breakOff(is: 'reset' | 'halfClose'): void {
    if (is === 'halfClose') {
      this.#close(() => this.#to.end());
      return;
    }
    this.#close(() => {
      // What was written has to be with the kernel first: a reset throws away what is not.
      this.#to.write('', () => {
        this.#to.resetAndDestroy();
        this.#from.resetAndDestroy();
      });
    });
  }

  #close(end: () => void): void {
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.stop();
    end();
  }
}

/** Each byte from `from` on turned into another; which one depends on its place alone, so that a failure comes again. */
function garbled(bytes: Buffer, place: number, from: number): Buffer {
  return Buffer.from(bytes.map((byte, i) => (place + i < from ? byte : byte ^ (1 + (((place + i) * 151) % 255)))));
}
