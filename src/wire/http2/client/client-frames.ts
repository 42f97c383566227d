import type { Timing } from '../../../core/timing.ts';
import { ReceiveWindow, widened } from '../flow-window.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import type { FrameSink } from '../frames/frame-sink.ts';
import { writePing, writeSettingsAck, writeWindowUpdate } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import type { PeerSettings } from '../settings.ts';
import type { ClientRules } from './client-limits.ts';
import type { ClientStreams } from './client-streams.ts';
import type { H2Call } from './h2-call.ts';
import type { QuestionQueue } from './question-queue.ts';
import { ServerPace } from './server-pace.ts';

/** What the frames of a server change on a connection beyond its streams. */
export interface ConnectionLife {
  /** The server has said what it takes, for the first time or anew. */
  onSettled(): void;
  onLeaving(lastStreamId: number, code: H2ErrorCode): void;
}

export interface FrameParts {
  readonly rules: ClientRules;
  readonly streams: ClientStreams;
  readonly questions: QuestionQueue;
  readonly output: FrameOutput;
  readonly peer: PeerSettings;
  readonly timing: Timing;
  readonly life: ConnectionLife;
}

/** Acts on what a server sends: hands each call its part, answers what is to be answered, and keeps both windows. */
export class ClientFrames implements FrameSink {
  readonly #streams: ClientStreams;
  readonly #questions: QuestionQueue;
  readonly #output: FrameOutput;
  readonly #peer: PeerSettings;
  readonly #life: ConnectionLife;
  readonly #headerTableBytes: number;
  readonly #hpack: HpackDecoder;
  readonly #pace: ServerPace;
  readonly #window: ReceiveWindow;
  /** The call whose DATA frame is being read; null where its stream is gone. */
  #reading: H2Call | null = null;

  constructor({ rules, streams, questions, output, peer, timing, life }: FrameParts) {
    this.#streams = streams;
    this.#questions = questions;
    this.#output = output;
    this.#peer = peer;
    this.#life = life;
    this.#headerTableBytes = rules.limits.headerTableBytes;
    this.#hpack = new HpackDecoder(rules.hpack);
    this.#pace = new ServerPace(rules.limits, timing);
    this.#window = new ReceiveWindow(rules.limits.connectionWindowBytes);
  }

  /** What the last header block that could not be decoded has wrong. */
  get problem(): string {
    return this.#hpack.problem;
  }

  /** @hot */
  onDataStart(streamId: number, flowBytes: number): H2ErrorCode {
    // RFC 9113, 5.1.
    if (this.#streams.isIdle(streamId)) return H2Error.Protocol;
    // RFC 9113, 6.9.1: also what comes on a stream that is gone counts.
    if (!this.#window.take(flowBytes)) return H2Error.FlowControl;
    const call = this.#streams.get(streamId);
    this.#reading = call;
    if (call !== null && !call.window.take(flowBytes)) call.onViolation(H2Error.FlowControl);
    return H2Error.None;
  }

  /** @hot */
  onDataBytes(_streamId: number, chunk: Buffer, from: number, to: number): H2ErrorCode {
    const call = this.#reading;
    if (call !== null && !call.over) call.onBytes(chunk, from, to);
    return H2Error.None;
  }

  /** @hot */
  onDataEnd(_streamId: number, endStream: boolean): H2ErrorCode {
    const increment = this.#window.due(0);
    if (increment > 0) writeWindowUpdate(this.#output, 0, increment);
    this.#reading?.onDataEnd(endStream);
    this.#reading = null;
    return H2Error.None;
  }

  /** @hot */
  onHeaders(streamId: number, endStream: boolean, block: Buffer, from: number, to: number): H2ErrorCode {
    // Decoded whoever it is for: the table is the connection's (RFC 9113, 4.3).
    if (!this.#hpack.decode(block, from, to)) return H2Error.Compression;
    // RFC 9113, 5.1.1: a server begins no streams, since it may not push (8.4).
    if (this.#streams.isIdle(streamId)) return H2Error.Protocol;
    this.#streams.get(streamId)?.onHeaders(this.#hpack.fields, endStream);
    return H2Error.None;
  }

  onReset(streamId: number, code: H2ErrorCode): H2ErrorCode {
    // RFC 9113, 6.4.
    if (this.#streams.isIdle(streamId)) return H2Error.Protocol;
    this.#streams.get(streamId)?.onReset(code);
    return H2Error.None;
  }

  onSettings(payload: Buffer, from: number, to: number): H2ErrorCode {
    const before = this.#peer.initialWindowBytes;
    // RFC 9113, 6.5.3: taken in their order, and acknowledged at once.
    const error = this.#peer.apply(payload, from, to, true);
    if (error !== H2Error.None) return error;
    writeSettingsAck(this.#output);
    if (!this.#streams.moveWindows(this.#peer.initialWindowBytes - before)) return H2Error.FlowControl;
    this.#questions.resume();
    this.#life.onSettled();
    return this.#pace.settings();
  }

  onSettingsAck(): H2ErrorCode {
    // RFC 9113, 6.5.3, and RFC 7541, 4.2: from here on the server keeps to what it was told.
    this.#hpack.limitTable(this.#headerTableBytes);
    return H2Error.None;
  }

  onPing(payload: Buffer, from: number): H2ErrorCode {
    // RFC 9113, 6.7: the answer has the same octets.
    writePing(this.#output, true, payload, from);
    return this.#pace.ping();
  }

  /** Whatever comes is a sign of life, this too. */
  onPingAck(): H2ErrorCode {
    return this.#pace.ping();
  }

  onGoAway(lastStreamId: number, code: H2ErrorCode): H2ErrorCode {
    this.#life.onLeaving(lastStreamId, code);
    return this.#pace.empty();
  }

  onWindowUpdate(streamId: number, increment: number): H2ErrorCode {
    // RFC 9113, 6.9 and 6.9.1: an increment of nothing, and a window beyond 31 bits, are errors of what they are for.
    if (streamId === 0) return increment === 0 ? H2Error.Protocol : this.#questions.widen(increment);
    if (this.#streams.isIdle(streamId)) return H2Error.Protocol;
    const call = this.#streams.get(streamId);
    if (call === null) return H2Error.None;
    const window = widened(call.sendWindow, increment);
    if (increment === 0) call.onViolation(H2Error.Protocol);
    else if (Number.isNaN(window)) call.onViolation(H2Error.FlowControl);
    else {
      call.sendWindow = window;
      if (call.unsentBytes > 0) this.#questions.resume();
    }
    return H2Error.None;
  }

  onIgnored(): H2ErrorCode {
    return this.#pace.empty();
  }
}
