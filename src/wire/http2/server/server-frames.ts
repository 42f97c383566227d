import { ReceiveWindow, widened } from '../flow-window.ts';
import type { FrameSink } from '../frames/frame-sink.ts';
import { writePing, writeReset, writeSettingsAck, writeWindowUpdate } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import type { AnswerQueue } from './answer-queue.ts';
import { Ending } from './closed-streams.ts';
import type { FloodGuard } from './flood-guard.ts';
import type { ServerStream } from './server-stream.ts';
import type { ServerStreams } from './server-streams.ts';
import { type OpeningHome, type OpeningParts, StreamOpening } from './stream-opening.ts';

/** What the frames of a client change on a connection beyond its streams. */
export interface ServerLife extends OpeningHome {
  onSettled(): void;
  onPingAck(payload: Buffer, from: number): void;
}

export interface ServerFrameParts extends OpeningParts {
  readonly queue: AnswerQueue;
  readonly guard: FloodGuard;
  readonly life: ServerLife;
}

/** Acts on what a client sends: begins calls, hands each its part, answers what is to be answered, and keeps both windows. */
export class ServerFrames implements FrameSink {
  /** What the client did, where an error of the connection came from here. */
  problem = '';
  readonly #parts: ServerFrameParts;
  readonly #streams: ServerStreams;
  readonly #life: ServerLife;
  readonly #hpack: HpackDecoder;
  readonly #opening: StreamOpening;
  readonly #window: ReceiveWindow;
  /** The stream whose DATA frame is being read; null where it is gone. */
  #reading: ServerStream | null = null;
  #frameBytes = 0;
  /** Stream errors that have not been counted yet: what a client provokes costs as much as what it does itself. */
  #violations = 0;

  constructor(parts: ServerFrameParts) {
    this.#parts = parts;
    this.#streams = parts.streams;
    this.#life = parts.life;
    this.#opening = new StreamOpening(parts);
    this.#hpack = new HpackDecoder(parts.rules.hpack);
    this.#window = new ReceiveWindow(parts.rules.limits.connectionWindowBytes);
  }

  /** @hot */
  onDataStart(streamId: number, flowBytes: number): H2ErrorCode {
    // RFC 9113, 5.1: nothing but HEADERS and PRIORITY may come on an idle stream.
    if (this.#streams.isIdle(streamId)) return this.#broken(H2Error.Protocol, 'DATA on a stream that has not begun');
    // RFC 9113, 6.9.1: also what comes on a stream that is gone counts.
    if (!this.#window.take(flowBytes)) return this.#broken(H2Error.FlowControl, 'more DATA than the connection has room for');
    this.#frameBytes = flowBytes;
    const stream = this.#streams.get(streamId);
    this.#reading = stream;
    if (stream === null) return this.#lateFrame(streamId);
    // RFC 9113, 5.1 (half-closed) and 6.9.1.
    if (stream.clientDone) this.#life.violated(stream, H2Error.StreamClosed);
    else if (!stream.window.take(flowBytes)) this.#life.violated(stream, H2Error.FlowControl);
    return this.#verdict();
  }

  /** @hot */
  onDataBytes(_streamId: number, chunk: Buffer, from: number, to: number): H2ErrorCode {
    const stream = this.#reading;
    if (stream !== null && !stream.over) stream.onBytes(chunk, from, to);
    return H2Error.None;
  }

  /** @hot */
  onDataEnd(_streamId: number, endStream: boolean): H2ErrorCode {
    const increment = this.#window.due(0);
    if (increment > 0) writeWindowUpdate(this.#life.output, 0, increment);
    const stream = this.#reading;
    this.#reading = null;
    stream?.onFrameEnd(endStream);
    return this.#frameBytes === 0 && !endStream ? this.#empty() : this.#verdict();
  }

  /** @hot */
  onHeaders(streamId: number, endStream: boolean, block: Buffer, from: number, to: number): H2ErrorCode {
    // Decoded whoever it is for: the table is the connection's (RFC 9113, 4.3).
    if (!this.#hpack.decode(block, from, to)) return this.#broken(H2Error.Compression, this.#hpack.problem);
    const stream = this.#streams.get(streamId);
    if (stream !== null) this.#takeTrailers(stream, endStream);
    // RFC 9113, 5.1.1: streams of clients have odd numbers, each higher than the one before.
    else if ((streamId & 1) === 0) return this.#broken(H2Error.Protocol, 'a stream with an even number');
    else if (streamId <= this.#streams.lastId) return this.#lateHeaders(streamId);
    else if (!this.#opening.begin(streamId, endStream, this.#hpack.fields)) this.#violations++;
    return this.#verdict();
  }

  onReset(streamId: number): H2ErrorCode {
    // RFC 9113, 6.4.
    if (this.#streams.isIdle(streamId)) return this.#broken(H2Error.Protocol, 'RST_STREAM on a stream that has not begun');
    const stream = this.#streams.get(streamId);
    // A client that has its answer and stops sending has done nothing wrong, nor one whose reset has met the answer.
    const vain = stream !== null && !stream.isAnswered;
    if (stream !== null) this.#lose(stream);
    if (!vain) return this.#empty();
    return this.#parts.guard.reset() ? H2Error.None : this.#broken(H2Error.EnhanceYourCalm, 'too many streams are reset');
  }

  onSettings(payload: Buffer, from: number, to: number): H2ErrorCode {
    const { peer, queue, guard } = this.#parts;
    const before = peer.initialWindowBytes;
    // RFC 9113, 6.5.3: taken in their order, and acknowledged at once.
    const error = peer.apply(payload, from, to, false);
    if (error !== H2Error.None) return this.#broken(error, 'a setting has a value that it may not have');
    writeSettingsAck(this.#life.output);
    if (!this.#streams.moveWindows(peer.initialWindowBytes - before)) {
      return this.#broken(H2Error.FlowControl, 'a new initial window makes another too large');
    }
    queue.resume();
    this.#life.onSettled();
    return guard.settings() ? H2Error.None : this.#broken(H2Error.EnhanceYourCalm, 'too many SETTINGS');
  }

  onSettingsAck(): H2ErrorCode {
    // RFC 9113, 6.5.3, and RFC 7541, 4.2: from here on the client keeps to what it was told.
    this.#opening.acknowledged = true;
    this.#hpack.limitTable(this.#parts.rules.limits.headerTableBytes);
    return H2Error.None;
  }

  onPing(payload: Buffer, from: number): H2ErrorCode {
    // RFC 9113, 6.7: the answer has the same octets.
    writePing(this.#life.output, true, payload, from);
    return this.#pinged();
  }

  onPingAck(payload: Buffer, from: number): H2ErrorCode {
    this.#life.onPingAck(payload, from);
    return this.#pinged();
  }

  /** A client that goes away says so by closing the connection; until then it may wait for answers. */
  onGoAway(): H2ErrorCode {
    return this.#empty();
  }

  onWindowUpdate(streamId: number, increment: number): H2ErrorCode {
    // RFC 9113, 6.9 and 6.9.1: an increment of nothing, and a window beyond 31 bits, are errors of what they are for.
    if (streamId === 0) {
      const error = increment === 0 ? H2Error.Protocol : this.#parts.queue.widen(increment);
      return error === H2Error.None ? error : this.#broken(error, 'the connection is given no room, or too much');
    }
    if (this.#streams.isIdle(streamId)) return this.#broken(H2Error.Protocol, 'WINDOW_UPDATE on a stream that has not begun');
    const stream = this.#streams.get(streamId);
    if (stream === null) return this.#empty();
    const window = widened(stream.sendWindow, increment);
    if (increment === 0) this.#life.violated(stream, H2Error.Protocol);
    else if (Number.isNaN(window)) this.#life.violated(stream, H2Error.FlowControl);
    else {
      stream.sendWindow = window;
      if (stream.unsentBytes > 0) this.#parts.queue.resume();
    }
    return this.#verdict();
  }

  onIgnored(): H2ErrorCode {
    return this.#empty();
  }

  /** RFC 9113, 8.1: they end the request, and have no pseudo-header fields. */
  #takeTrailers(stream: ServerStream, endStream: boolean): void {
    const { fields } = this.#hpack;
    if (stream.clientDone) this.#life.violated(stream, H2Error.StreamClosed);
    else if (!endStream || fields.malformed || fields.tooLarge || hasPseudo(fields.names, fields.count)) {
      this.#life.violated(stream, H2Error.Protocol);
    } else stream.onFrameEnd(true);
  }

  /** HEADERS on a stream that is gone, or that a later one has passed (RFC 9113, 5.1 and 5.1.1). */
  #lateHeaders(streamId: number): H2ErrorCode {
    const ending = this.#streams.closed.how(streamId);
    if (ending === Ending.ByUs) return this.#empty();
    if (ending === Ending.Whole) return this.#broken(H2Error.StreamClosed, 'HEADERS on a stream that has ended');
    return this.#broken(H2Error.Protocol, 'a stream with a lower number than one before');
  }

  /** DATA on a stream that is gone (RFC 9113, 5.1): on its way when we had reset it, or an error of that stream. */
  #lateFrame(streamId: number): H2ErrorCode {
    if (this.#streams.closed.how(streamId) === Ending.ByUs) return H2Error.None;
    writeReset(this.#life.output, streamId, H2Error.StreamClosed);
    this.#violations++;
    return this.#verdict();
  }

  #lose(stream: ServerStream): void {
    stream.over = true;
    // What came behind its reset would be an error, were it not that a client may reset what we have reset already.
    this.#streams.remove(stream, false);
    stream.onLost();
  }

  /** A stream was in error. */
  violated(): void {
    this.#violations++;
  }

  #verdict(): H2ErrorCode {
    if (this.#violations === 0) return H2Error.None;
    this.#violations = 0;
    return this.#parts.guard.violated() ? H2Error.None : this.#broken(H2Error.EnhanceYourCalm, 'too many streams are in error');
  }

  #empty(): H2ErrorCode {
    return this.#parts.guard.empty() ? H2Error.None : this.#broken(H2Error.EnhanceYourCalm, 'too many frames without effect');
  }

  #pinged(): H2ErrorCode {
    return this.#parts.guard.ping() ? H2Error.None : this.#broken(H2Error.EnhanceYourCalm, 'too many PING');
  }

  #broken(code: H2ErrorCode, problem: string): H2ErrorCode {
    this.problem = problem;
    return code;
  }
}

const COLON = 0x3a;

function hasPseudo(names: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (names[i]!.charCodeAt(0) === COLON) return true;
  return false;
}
