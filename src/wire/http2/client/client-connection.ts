import type { Timing } from '../../../core/timing.ts';
import { MASK_31, PREFACE } from '../frames/frame-format.ts';
import { FrameOutput, type Outlet, type OutputOwner } from '../frames/frame-output.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import { writeGoAway, writePing, writeReset, writeWindowUpdate } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode, h2ErrorName } from '../h2-error.ts';
import { DEFAULT_WINDOW_BYTES, PeerSettings } from '../settings.ts';
import type { CallHeads } from './call-heads.ts';
import { ClientFrames, type ConnectionLife } from './client-frames.ts';
import type { ClientRules } from './client-limits.ts';
import { ClientStreams } from './client-streams.ts';
import type { CallCarrier, H2Call } from './h2-call.ts';
import { Heartbeat, type Pulse } from './heartbeat.ts';
import { IdleWatch } from './idle-watch.ts';
import { QuestionQueue } from './question-queue.ts';

/** Who wants to know what becomes of a connection. */
export interface ConnectionOwner {
  readonly heads: CallHeads;
  readonly rules: ClientRules;
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
export class ClientConnection implements OutputOwner, CallCarrier, ConnectionLife, Pulse {
  readonly sinceMs: number;
  /** Calls that the server has answered, whatever it said. */
  answered = 0;
  readonly #owner: ConnectionOwner;
  readonly #wire: Wire;
  readonly #output: FrameOutput;
  readonly #peer = new PeerSettings();
  readonly #streams: ClientStreams;
  readonly #questions: QuestionQueue;
  readonly #frames: ClientFrames;
  readonly #reader: FrameReader;
  readonly #heartbeat: Heartbeat;
  readonly #idle: IdleWatch;
  /** The newest stream whose first frame has been given to the socket. */
  #flushedId = 0;
  #opened = false;
  /** No more calls may begin. */
  #draining = false;
  #closed = false;

  constructor(owner: ConnectionOwner, wire: Wire, keepAliveMs: number) {
    const { timing, rules } = owner;
    const { limits } = rules;
    this.#owner = owner;
    this.sinceMs = timing.clock.nowMs();
    this.#wire = wire;
    const output = new FrameOutput(wire, this);
    const questions = new QuestionQueue(output, this.#peer, limits.maxUnsentBytes);
    const streams = new ClientStreams(rules.firstStreamId);
    this.#streams = streams;
    this.#output = output;
    this.#questions = questions;
    this.#frames = new ClientFrames({ rules, streams, questions, output, peer: this.#peer, timing, life: this });
    this.#reader = new FrameReader(this.#frames, rules.frames);
    this.#heartbeat = new Heartbeat(timing, { afterMs: keepAliveMs, timeoutMs: limits.keepAliveTimeoutMs }, this);
    this.#idle = new IdleWatch(timing, limits.maxConnectionIdleMs, () => this.close());
    // RFC 9113, 3.4: the preface, and SETTINGS behind it. The connection's window has no setting (6.9.2).
    output.add(PREFACE);
    output.add(rules.settings);
    const more = limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    // RFC 9113, 6.9: an increment of nothing is an error.
    if (more > 0) writeWindowUpdate(output, 0, more);
    output.flush();
  }

  /** RFC 9113, 5.1.2: no more streams than the server takes, nor than this side wants. @hot */
  get hasRoom(): boolean {
    const { size } = this.#streams;
    return (
      this.#opened &&
      !this.#draining &&
      size < this.#peer.maxConcurrentStreams &&
      size < this.#owner.rules.limits.maxConcurrentStreams
    );
  }

  /** Begins a call; there has to be room. False where the server does not take header fields so long (RFC 9113, 6.5.2). @hot */
  begin(call: H2Call): boolean {
    const { heads, rules } = this.#owner;
    if (!heads.fits(call.path, call.headers, this.#peer.maxHeaderListBytes)) return false;
    const streams = this.#streams;
    const streamId = streams.nextId;
    streams.nextId += 2;
    call.begin(this, streamId, this.#peer.initialWindowBytes);
    heads.write(this.#output, streamId, call, streamId === rules.firstStreamId);
    streams.add(call);
    if (streams.size === 1) this.#wake();
    this.#questions.send(call);
    // RFC 9113, 5.1.1: ids are never used again, and when they are used up a new connection is.
    if (streams.nextId > MASK_31) this.#stopBeginning();
    return true;
  }

  /** What the socket has read. @hot */
  read(chunk: Buffer, bytes: number): void {
    if (this.#closed) return;
    this.#heartbeat.heard();
    const error = this.#reader.read(chunk, 0, bytes);
    if (error !== H2Error.None) this.#fail(error);
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

  /** Takes no more calls, and closes after the last. */
  close(): void {
    this.#stopBeginning();
    if (this.#streams.size === 0) this.#part(H2Error.None, '', CLOSED);
  }

  hasSent(streamId: number): boolean {
    return streamId !== 0 && streamId <= this.#flushedId;
  }

  /** @hot */
  release(call: H2Call, code: H2ErrorCode): void {
    if (!this.#streams.remove(call) || this.#closed) return;
    if (call.remoteEnded) this.answered++;
    const stands = !call.remoteEnded || call.unsentBytes > 0;
    if (stands && code !== H2Error.None) writeReset(this.#output, call.streamId, code);
    if (this.#streams.size === 0) this.#rest();
    if (!this.#draining) this.#owner.onRoom(this);
  }

  handBack(call: H2Call): void {
    this.#questions.forget(call);
    this.release(call, H2Error.None);
  }

  widen(call: H2Call, bytes: number): void {
    writeWindowUpdate(this.#output, call.streamId, bytes);
  }

  onFlush(): void {
    this.#questions.pump();
    this.#flushedId = this.#streams.lastId;
  }

  onSettled(): void {
    if (this.#opened) {
      if (!this.#draining) this.#owner.onRoom(this);
      return;
    }
    this.#opened = true;
    this.#wire.unref();
    this.#idle.rest();
    this.#owner.onOpen(this);
  }

  /** RFC 9113, 6.8: what is above the last stream has not been and will not be looked at. */
  onLeaving(lastStreamId: number, code: H2ErrorCode): void {
    if (code === H2Error.EnhanceYourCalm) this.#owner.onTooManyPings();
    this.#stopBeginning();
    this.#streams.unseenAbove(lastStreamId, `The server is going away: ${h2ErrorName(code)}.`);
    if (this.#streams.size === 0) this.#rest();
  }

  ping(): void {
    writePing(this.#output, false, PING, 0);
  }

  /** Nothing came for too long. */
  silent(): void {
    this.lost('The server did not answer a ping in time.');
  }

  #wake(): void {
    this.#wire.ref();
    this.#idle.busy();
    this.#heartbeat.start();
  }

  /** No call is on it: it keeps nobody awake, or is not needed any more. */
  #rest(): void {
    this.#heartbeat.rest();
    if (this.#draining) this.#part(H2Error.None, '', CLOSED);
    else {
      this.#wire.unref();
      this.#idle.rest();
    }
  }

  #stopBeginning(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#owner.onDraining(this);
  }

  #fail(code: H2ErrorCode): void {
    const reason = this.#reader.problem === '' ? `${h2ErrorName(code)} ${this.#frames.problem}`.trimEnd() : this.#reader.problem;
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

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#draining = true;
    this.#reader.stop();
    this.#heartbeat.stop();
    this.#idle.stop();
    this.#streams.dropAll(reason);
    this.#owner.onLost(this, reason);
  }
}

const CLOSED = 'The connection was closed.';
/** A peer that does not even take our farewell. */
const FAREWELL_MS = 1_000;
const PING = Buffer.from('sluice\0\0', 'latin1');
