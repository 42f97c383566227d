import { ReceiveWindow, widened } from '../flow-window.ts';
import { FrameRate } from '../frame-rate.ts';
import { PREFACE } from '../frames/frame-format.ts';
import { FrameOutput, type Outlet, type OutputOwner } from '../frames/frame-output.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import type { FrameSink } from '../frames/frame-sink.ts';
import { writeGoAway, writePing, writeReset, writeSettingsAck, writeWindowUpdate } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode, h2ErrorName } from '../h2-error.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { DEFAULT_WINDOW_BYTES, PeerSettings } from '../settings.ts';
import type { Timing } from '../timing.ts';
import type { CallHeads } from './call-heads.ts';
import { CLIENT_SETTINGS, LIMITS, PACE } from './client-limits.ts';
import type { CallCarrier, H2Call } from './h2-call.ts';
import { Heartbeat } from './heartbeat.ts';
import { QuestionQueue } from './question-queue.ts';

/** Who wants to know what becomes of a connection. */
export interface ConnectionOwner {
  readonly heads: CallHeads;
  readonly timing: Timing;
  /** The server has spoken, and calls may begin. */
  onOpen(connection: ClientConnection): void;
  /** Another call may begin. */
  onRoom(connection: ClientConnection): void;
  /** No more calls may begin; those that have go on. */
  onDraining(connection: ClientConnection): void;
  /** The server wants fewer pings (GOAWAY with ENHANCE_YOUR_CALM). */
  onTooManyPings(): void;
  /** It is closed, and every call on it has ended. */
  onLost(connection: ClientConnection, reason: string): void;
}

/** The socket below, as far as this needs it. */
export interface Wire extends Outlet {
  ref(): unknown;
  unref(): unknown;
  /** Closes it behind what is written. */
  destroySoon(): void;
  destroy(): unknown;
  /** Rings when it has been idle for so long. */
  setTimeout(ms: number, ring: () => void): unknown;
}

/** One HTTP/2 connection to a gRPC server (RFC 9113): many calls, each on a stream of its own. */
export class ClientConnection implements FrameSink, OutputOwner, CallCarrier {
  opened = false;
  /** No more calls may begin. */
  draining = false;
  /** Calls that the server has answered, whatever it said. */
  answered = 0;
  readonly sinceMs: number;
  readonly #owner: ConnectionOwner;
  readonly #wire: Wire;
  readonly #output: FrameOutput;
  readonly #reader: FrameReader;
  readonly #hpack = new HpackDecoder(LIMITS);
  readonly #peer = new PeerSettings();
  readonly #streams = new Map<number, H2Call>();
  readonly #questions: QuestionQueue;
  readonly #heartbeat: Heartbeat;
  readonly #rate = new FrameRate(PACE.perSecond, PACE.burst);
  readonly #window = new ReceiveWindow(LIMITS.connectionWindowBytes);
  #nextId = 1;
  /** The newest stream whose first frame has been given to the socket. */
  #flushedId = 0;
  /** The call whose DATA frame is being read; null where its stream is gone. */
  #reading: H2Call | null = null;
  #closed = false;

  constructor(owner: ConnectionOwner, wire: Wire, keepAliveMs: number) {
    this.#owner = owner;
    this.sinceMs = owner.timing.clock.nowMs();
    this.#wire = wire;
    this.#output = new FrameOutput(wire, this);
    this.#reader = new FrameReader(this, LIMITS);
    this.#questions = new QuestionQueue(this.#output, this.#peer);
    this.#heartbeat = new Heartbeat(owner.timing, keepAliveMs, this);
    this.#output.add(PREFACE);
    this.#output.add(CLIENT_SETTINGS);
    writeWindowUpdate(this.#output, 0, LIMITS.connectionWindowBytes - DEFAULT_WINDOW_BYTES);
    this.#output.flush();
  }

  get hasRoom(): boolean {
    return this.opened && !this.draining && this.#streams.size < Math.min(this.#peer.maxConcurrentStreams, LIMITS.maxStreams);
  }

  get calls(): number {
    return this.#streams.size;
  }

  /** Begins a call; there has to be room. False where the server does not take header fields so long. @hot */
  begin(call: H2Call): boolean {
    if (!this.#owner.heads.fits(call.path, call.headers, this.#peer.maxHeaderListBytes)) return false;
    const streamId = this.#nextId;
    this.#nextId += 2;
    call.begin(this, streamId, this.#peer.initialWindowBytes);
    this.#owner.heads.write(this.#output, streamId, call, streamId === 1);
    this.#streams.set(streamId, call);
    if (this.#streams.size === 1) this.#wake();
    this.#questions.begin(call);
    // RFC 9113, 5.1.1: ids are never used again, and when they are used up a new connection is.
    if (this.#nextId > LIMITS.lastStreamId) this.#drain();
    return true;
  }

  /** What the socket has read. @hot */
  read(chunk: Buffer, bytes: number): void {
    if (this.#closed) return;
    this.#heartbeat.heard();
    const error = this.#reader.read(chunk, 0, bytes);
    if (error !== H2Error.None) this.#fail(error, this.#reader.problem);
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#questions.resume();
  }

  /** The socket is closed, or is of no more use. */
  lost(reason: string): void {
    this.#lose(reason);
    this.#wire.destroy();
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.draining = true;
    this.#reader.stop();
    this.#heartbeat.stop();
    for (const call of this.#streams.values()) call.drop(reason, this.hasSent(call.streamId));
    this.#owner.onLost(this, reason);
  }

  /** Takes no more calls, and closes after the last. */
  close(): void {
    this.#drain();
  }

  hasSent(streamId: number): boolean {
    return streamId !== 0 && streamId <= this.#flushedId;
  }

  release(call: H2Call, code: H2ErrorCode): void {
    if (!this.#streams.delete(call.streamId) || this.#closed) return;
    if (call.remoteEnded) this.answered++;
    const isClosed = call.remoteEnded && call.unsentBytes === 0;
    if (!isClosed && code !== H2Error.None) writeReset(this.#output, call.streamId, code);
    if (this.#reading === call) this.#reading = null;
    if (this.#streams.size === 0) this.#rest();
    if (!this.draining) this.#owner.onRoom(this);
  }

  widen(call: H2Call, bytes: number): void {
    writeWindowUpdate(this.#output, call.streamId, bytes);
  }

  onFlush(): void {
    this.#questions.pump();
    this.#flushedId = this.#nextId - 2;
  }

  onDataStart(streamId: number, flowBytes: number): H2ErrorCode {
    if (this.#isIdle(streamId)) return H2Error.Protocol;
    // RFC 9113, 6.9.1: also what comes on a stream that is gone counts.
    if (!this.#window.take(flowBytes)) return H2Error.FlowControl;
    const call = this.#streams.get(streamId) ?? null;
    this.#reading = call;
    if (flowBytes === 0 && !this.#rate.take(this.#owner.timing.clock.nowMs())) return H2Error.EnhanceYourCalm;
    if (call !== null && !call.window.take(flowBytes)) call.onViolation(H2Error.FlowControl);
    return H2Error.None;
  }

  onDataBytes(_streamId: number, chunk: Buffer, from: number, to: number): H2ErrorCode {
    this.#reading?.onBytes(chunk, from, to);
    return H2Error.None;
  }

  onDataEnd(_streamId: number, endStream: boolean): H2ErrorCode {
    const increment = this.#window.due(0);
    if (increment > 0) writeWindowUpdate(this.#output, 0, increment);
    this.#reading?.onDataEnd(endStream);
    this.#reading = null;
    return H2Error.None;
  }

  onHeaders(streamId: number, endStream: boolean, block: Buffer, from: number, to: number): H2ErrorCode {
    // Decoded whoever it is for: the table is the connection's (RFC 9113, 4.3).
    if (!this.#hpack.decode(block, from, to)) return H2Error.Compression;
    if (this.#isIdle(streamId)) return H2Error.Protocol;
    this.#streams.get(streamId)?.onHeaders(this.#hpack.fields, endStream);
    return H2Error.None;
  }

  onReset(streamId: number, code: H2ErrorCode): H2ErrorCode {
    if (this.#isIdle(streamId)) return H2Error.Protocol;
    this.#streams.get(streamId)?.onReset(code);
    return H2Error.None;
  }

  onSettings(payload: Buffer, from: number, to: number): H2ErrorCode {
    if (!this.#rate.take(this.#owner.timing.clock.nowMs())) return H2Error.EnhanceYourCalm;
    const before = this.#peer.initialWindowBytes;
    const error = this.#peer.apply(payload, from, to, true);
    if (error !== H2Error.None) return error;
    writeSettingsAck(this.#output);
    if (!this.#moveWindows(this.#peer.initialWindowBytes - before)) return H2Error.FlowControl;
    if (!this.opened) {
      this.opened = true;
      if (this.#streams.size === 0) this.#wire.unref();
      this.#owner.onOpen(this);
    } else if (!this.draining) this.#owner.onRoom(this);
    return H2Error.None;
  }

  onSettingsAck(): H2ErrorCode {
    this.#hpack.limitTable(LIMITS.tableBytes);
    return H2Error.None;
  }

  onPing(payload: Buffer, from: number): H2ErrorCode {
    if (!this.#rate.take(this.#owner.timing.clock.nowMs())) return H2Error.EnhanceYourCalm;
    writePing(this.#output, true, payload, from);
    return H2Error.None;
  }

  /** Whatever comes is a sign of life, this too. */
  onPingAck(): H2ErrorCode {
    return H2Error.None;
  }

  /** RFC 9113, 6.8: what is above the last stream has not been and will not be looked at. */
  onGoAway(lastStreamId: number, code: H2ErrorCode): H2ErrorCode {
    if (code === H2Error.EnhanceYourCalm) this.#owner.onTooManyPings();
    this.#stopBeginning();
    for (const call of this.#streams.values()) {
      if (call.streamId > lastStreamId) call.drop(`The server is going away: ${h2ErrorName(code)}.`, false);
    }
    if (this.#streams.size === 0) this.#rest();
    return H2Error.None;
  }

  onWindowUpdate(streamId: number, increment: number): H2ErrorCode {
    if (streamId === 0) return increment === 0 ? H2Error.Protocol : this.#questions.widen(increment);
    if (this.#isIdle(streamId)) return H2Error.Protocol;
    const call = this.#streams.get(streamId);
    if (call === undefined) return H2Error.None;
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
    return this.#rate.take(this.#owner.timing.clock.nowMs()) ? H2Error.None : H2Error.EnhanceYourCalm;
  }

  ping(): void {
    writePing(this.#output, false, PING, 0);
  }

  /** Nothing came for too long. */
  silent(): void {
    this.lost('The server did not answer a ping in time.');
  }

  /** RFC 9113, 5.1.1: only we begin streams, with odd numbers, and nothing may come on one that has not begun. */
  #isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.#nextId;
  }

  /** RFC 9113, 6.9.2: a new initial window moves those of all streams. */
  #moveWindows(by: number): boolean {
    if (by === 0) return true;
    for (const call of this.#streams.values()) {
      const window = widened(call.sendWindow, by);
      if (Number.isNaN(window)) return false;
      call.sendWindow = window;
    }
    this.#questions.resume();
    return true;
  }

  #wake(): void {
    this.#wire.ref();
    this.#heartbeat.start();
  }

  #rest(): void {
    this.#heartbeat.rest();
    if (this.draining) this.#part(H2Error.None, '', 'The connection was closed.');
    else this.#wire.unref();
  }

  #stopBeginning(): void {
    if (this.draining) return;
    this.draining = true;
    this.#owner.onDraining(this);
  }

  #drain(): void {
    this.#stopBeginning();
    if (this.#streams.size === 0) this.#part(H2Error.None, '', 'The connection was closed.');
  }

  #fail(code: H2ErrorCode, problem: string): void {
    const reason = problem === '' ? `${h2ErrorName(code)} ${this.#hpack.problem}`.trimEnd() : problem;
    this.#part(code, reason, `The server broke the rules of HTTP/2 (${reason}).`);
  }

  /** RFC 9113, 5.4.1 and 6.8: the last that is said is GOAWAY. */
  #part(code: H2ErrorCode, debug: string, reason: string): void {
    if (this.#closed) return;
    writeGoAway(this.#output, 0, code, debug);
    this.#output.flush();
    this.#lose(reason);
    this.#wire.destroySoon();
    this.#wire.setTimeout(FAREWELL_MS, () => this.#wire.destroy());
  }
}

/** A peer that does not even take our farewell. */
const FAREWELL_MS = 1_000;
const PING = Buffer.from('sluice\0\0', 'latin1');
