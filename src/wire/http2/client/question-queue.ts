import { widened } from '../flow-window.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { writeMessage } from '../message-writer.ts';
import { DEFAULT_WINDOW_BYTES, type PeerSettings } from '../settings.ts';
import type { H2Call } from './h2-call.ts';

/** What a socket may owe before questions wait: enough to keep it busy, little enough that cancelled ones cost nothing. */
const PENDING_BYTES = 1_048_576;

/** Sends questions as far as both windows and the socket let it; those that are stuck go on in turns, a frame each. */
export class QuestionQueue {
  readonly #output: FrameOutput;
  readonly #peer: PeerSettings;
  readonly #stuck: H2Call[] = [];
  /** The connection's window, which SETTINGS do not move (RFC 9113, 6.9.2). */
  #window = DEFAULT_WINDOW_BYTES;
  #resumed = false;

  constructor(output: FrameOutput, peer: PeerSettings) {
    this.#output = output;
    this.#peer = peer;
  }

  /** @hot */
  begin(call: H2Call): void {
    while (call.unsentBytes > 0) {
      if (!this.#sendFrame(call)) {
        this.#stuck.push(call);
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
    while (this.#round()) {
      // Another round, since the last has sent something.
    }
    // Whoever was first now is last, or small windows would always go to the same.
    if (this.#stuck.length > 1) this.#stuck.push(this.#stuck.shift()!);
  }

  /** One frame of each; whether any was sent. */
  #round(): boolean {
    const stuck = this.#stuck;
    let kept = 0;
    let sent = false;
    for (let i = 0; i < stuck.length; i++) {
      const call = stuck[i]!;
      if (call.over) continue;
      if (this.#sendFrame(call)) sent = true;
      if (call.unsentBytes > 0) stuck[kept++] = call;
    }
    stuck.length = kept;
    return sent;
  }

  #sendFrame(call: H2Call): boolean {
    const bytes = Math.min(call.unsentBytes, this.#window, call.sendWindow, this.#peer.maxFrameBytes);
    if (bytes <= 0 || this.#output.pendingBytes > PENDING_BYTES) return false;
    this.#window -= bytes;
    call.sendWindow -= bytes;
    writeMessage(this.#output, call, bytes, bytes === call.unsentBytes);
    return true;
  }
}
