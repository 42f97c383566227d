import { widened } from './flow-window.ts';
import type { FrameOutput } from './frames/frame-output.ts';
import { H2Error, type H2ErrorCode } from './h2-error.ts';
import { type OutgoingMessage, writeMessage } from './message-writer.ts';
import { DEFAULT_WINDOW_BYTES, type PeerSettings } from './settings.ts';

/** A stream that sends one message after another. */
export interface SendingStream extends OutgoingMessage {
  /** Nothing more is sent. */
  readonly over: boolean;
  /** What the peer takes of this stream. */
  sendWindow: number;
}

const LEAST_SWEPT = 64;

/** Sends messages as far as both windows and the socket let it (RFC 9113, 5.2); those that are stuck go on in turns, a frame each. */
export abstract class SendQueue<Stream extends SendingStream> {
  protected readonly stuck: Stream[] = [];
  readonly #output: FrameOutput;
  readonly #peer: PeerSettings;
  /** What the socket may owe before messages wait. */
  readonly #maxPendingBytes: number;
  /** The connection's window, which SETTINGS do not move (RFC 9113, 6.9.2). */
  #window = DEFAULT_WINDOW_BYTES;
  #resumed = false;
  /** With so many stuck, those that are over are looked for. */
  #sweepAt = LEAST_SWEPT;

  constructor(output: FrameOutput, peer: PeerSettings, maxPendingBytes: number) {
    this.#output = output;
    this.#peer = peer;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** There is something that `pump` could send. */
  get isResumed(): boolean {
    return this.#resumed;
  }

  /** @hot */
  send(stream: Stream): void {
    while (stream.unsentBytes > 0) {
      if (!this.#sendFrame(stream)) {
        this.stalled(stream);
        this.#keep(stream);
        return;
      }
    }
  }

  /** The rest of it is not sent here. */
  forget(stream: Stream): void {
    const at = this.stuck.indexOf(stream);
    if (at >= 0) this.stuck.splice(at, 1);
  }

  /** The connection's window has grown. */
  widen(increment: number): H2ErrorCode {
    const window = widened(this.#window, increment);
    if (Number.isNaN(window)) return H2Error.FlowControl;
    this.#window = window;
    this.resume();
    return H2Error.None;
  }

  /** Something has changed for those that are stuck; they get their turn before this turn's frames leave. */
  resume(): void {
    if (this.stuck.length === 0) return;
    this.#resumed = true;
    this.#output.schedule();
  }

  pump(): void {
    if (!this.#resumed) return;
    this.#resumed = false;
    // A round forgets them itself, and a stream that goes on with its next message may come to stand in line within it.
    this.#sweepAt = Number.POSITIVE_INFINITY;
    while (this.#round()) {
      // Another round, since the last has sent something.
    }
    this.#sweepAt = Math.max(LEAST_SWEPT, this.stuck.length * 2);
    // Whoever was first now is last, or small windows would always go to the same.
    if (this.stuck.length > 1) this.stuck.push(this.stuck.shift()!);
  }

  /** Whether the message is the last thing that the stream says. */
  protected abstract isLast(stream: Stream): boolean;
  /** It waits from now on, or again behind a frame. */
  protected abstract stalled(stream: Stream): void;
  /** The message is written whole. */
  protected abstract written(stream: Stream): void;

  /** A peer that never gives room would otherwise be remembered every stream that was given up for it. */
  #keep(stream: Stream): void {
    const { stuck } = this;
    if (stuck.push(stream) < this.#sweepAt) return;
    let kept = 0;
    for (let i = 0; i < stuck.length; i++) {
      const each = stuck[i]!;
      if (!each.over) stuck[kept++] = each;
    }
    stuck.length = kept;
    this.#sweepAt = Math.max(LEAST_SWEPT, kept * 2);
  }

  /** One frame of each; whether any was sent. */
  #round(): boolean {
    const { stuck } = this;
    let kept = 0;
    let sent = false;
    for (let i = 0; i < stuck.length; i++) {
      const stream = stuck[i]!;
      if (stream.over) continue;
      if (this.#sendFrame(stream)) {
        sent = true;
        this.stalled(stream);
      }
      if (stream.unsentBytes > 0 && !stream.over) stuck[kept++] = stream;
    }
    stuck.length = kept;
    return sent;
  }

  #sendFrame(stream: Stream): boolean {
    // RFC 9113, 6.9.1 and 4.2: no more than both windows and a frame of the peer have room for.
    const bytes = Math.min(stream.unsentBytes, this.#window, stream.sendWindow, this.#peer.maxFrameBytes);
    if (bytes <= 0 || this.#output.pendingBytes > this.#maxPendingBytes) return false;
    this.#window -= bytes;
    stream.sendWindow -= bytes;
    writeMessage(this.#output, stream, bytes, this.isLast(stream) && bytes === stream.unsentBytes);
    if (stream.unsentBytes === 0) this.written(stream);
    return true;
  }
}
