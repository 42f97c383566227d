import { widened } from '../flow-window.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { writeMessage } from '../message-writer.ts';
import { DEFAULT_WINDOW_BYTES, type PeerSettings } from '../settings.ts';
import type { Timing } from '../timing.ts';
import type { ServerStream } from './server-stream.ts';

/** Sends answers as far as both windows and the socket let it (RFC 9113, 5.2); those that are stuck go on in turns, a frame each. */
export class AnswerQueue {
  readonly #output: FrameOutput;
  readonly #peer: PeerSettings;
  readonly #timing: Timing;
  readonly #maxUnsentBytes: number;
  readonly #stuck: ServerStream[] = [];
  /** The connection's window, which SETTINGS do not move (RFC 9113, 6.9.2). */
  #window = DEFAULT_WINDOW_BYTES;
  #resumed = false;

  constructor(output: FrameOutput, peer: PeerSettings, timing: Timing, maxUnsentBytes: number) {
    this.#output = output;
    this.#peer = peer;
    this.#timing = timing;
    this.#maxUnsentBytes = maxUnsentBytes;
  }

  /** There is something that `pump` could send. */
  get isResumed(): boolean {
    return this.#resumed;
  }

  /** @hot */
  send(stream: ServerStream): void {
    while (stream.unsentBytes > 0) {
      if (!this.#sendFrame(stream)) {
        stream.stalledSinceMs = this.#timing.clock.nowMs();
        this.#stuck.push(stream);
        return;
      }
    }
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
    if (this.#stuck.length === 0) return;
    this.#resumed = true;
    this.#output.schedule();
  }

  pump(): void {
    if (!this.#resumed) return;
    this.#resumed = false;
    const nowMs = this.#timing.clock.nowMs();
    while (this.#round(nowMs)) {
      // Another round, since the last has sent something.
    }
    // Whoever was first now is last, or small windows would always go to the same.
    if (this.#stuck.length > 1) this.#stuck.push(this.#stuck.shift()!);
  }

  /** One that could send nothing since `sinceMs`; null when there is none. */
  stalledSince(sinceMs: number): ServerStream | null {
    for (const stream of this.#stuck)
      if (!stream.over && stream.unsentBytes > 0 && stream.stalledSinceMs <= sinceMs) return stream;
    return null;
  }

  /** One frame of each; whether any was sent. */
  #round(nowMs: number): boolean {
    const stuck = this.#stuck;
    let kept = 0;
    let sent = false;
    for (let i = 0; i < stuck.length; i++) {
      const stream = stuck[i]!;
      if (stream.over) continue;
      if (this.#sendFrame(stream)) {
        sent = true;
        stream.stalledSinceMs = nowMs;
      }
      if (stream.unsentBytes > 0 && !stream.over) stuck[kept++] = stream;
    }
    stuck.length = kept;
    return sent;
  }

  #sendFrame(stream: ServerStream): boolean {
    const bytes = Math.min(stream.unsentBytes, this.#window, stream.sendWindow, this.#peer.maxFrameBytes);
    if (bytes <= 0 || this.#output.pendingBytes > this.#maxUnsentBytes) return false;
    this.#window -= bytes;
    stream.sendWindow -= bytes;
    writeMessage(this.#output, stream, bytes, stream.endsWithData && bytes === stream.unsentBytes);
    if (stream.unsentBytes === 0) stream.onMessageSent();
    return true;
  }
}
