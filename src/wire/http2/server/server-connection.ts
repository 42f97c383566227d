import type { Timing } from '../../../core/timing.ts';
import type { GrpcAcceptors } from '../../grpc/grpc-server.ts';
import { MASK_31 } from '../frames/frame-format.ts';
import { FrameOutput, type Outlet, type OutputOwner } from '../frames/frame-output.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import { writeGoAway, writePing, writeReset, writeWindowUpdate } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode, h2ErrorName } from '../h2-error.ts';
import { DEFAULT_WINDOW_BYTES, PeerSettings } from '../settings.ts';
import { AnswerQueue } from './answer-queue.ts';
import { AnswerWriter } from './answer-writer.ts';
import { AnsweredStream } from './answered-stream.ts';
import { ConnectionWatch, type WatchTimes } from './connection-watch.ts';
import { FloodGuard } from './flood-guard.ts';
import { Lingering } from './lingering.ts';
import { Preface, PrefaceReader } from './preface-reader.ts';
import { ServerFrames, type ServerLife } from './server-frames.ts';
import type { ServerRules } from './server-limits.ts';
import type { ServerStream } from './server-stream.ts';
import { ServerStreams } from './server-streams.ts';

/** The socket below, as far as this needs it. */
export interface ServerWire extends Outlet {
  readonly remoteAddress: string;
  pause(): unknown;
  resume(): unknown;
  /** Ends our side behind what is written. */
  end(): unknown;
  destroy(): unknown;
}

export interface ConnectionOwner {
  readonly rules: ServerRules;
  readonly acceptors: GrpcAcceptors;
  readonly timing: Timing;
  readonly times: WatchTimes;
  readonly maxMessageBytes: number;
}

/** Output that waits for the client to take it may grow so far beyond its limit, by what is not data, before nothing more is read. */
const PAUSE_FACTOR = 2;
/** What a client sends behind our farewell, and is thrown away so that it can read the farewell; more is not even read. */
const LINGER_BYTES = 1_048_576;

/** One HTTP/2 connection of a client (RFC 9113): many calls, each on a stream of its own. */
export class ServerConnection implements OutputOwner, ServerLife {
  readonly output: FrameOutput;
  readonly answers: AnswerWriter;
  readonly maxMessageBytes: number;
  lastServedId = MASK_31;
  readonly #wire: ServerWire;
  readonly #streams = new ServerStreams();
  readonly #queue: AnswerQueue;
  readonly #frames: ServerFrames;
  readonly #reader: FrameReader;
  readonly #guard: FloodGuard;
  readonly #watch: ConnectionWatch;
  readonly #maxUnsentBytes: number;
  readonly #preface = new PrefaceReader();
  /** Streams to be settled at the end of this turn. */
  #due: ServerStream[] = [];
  readonly #lingering: Lingering;
  /** The first of two GOAWAY has been sent (RFC 9113, 6.8). */
  #draining = false;
  /** So has the second: `lastServedId` is the last in fact, which may be the last there is. */
  #lastSaid = false;
  /** Nothing is read or said any more. */
  #parted = false;
  #paused = false;
  #lingerBytes = 0;

  constructor(owner: ConnectionOwner, wire: ServerWire) {
    const { rules, timing } = owner;
    const { limits } = rules;
    const peer = new PeerSettings();
    this.maxMessageBytes = owner.maxMessageBytes;
    this.#maxUnsentBytes = limits.maxUnsentBytes;
    this.#wire = wire;
    this.output = new FrameOutput(wire, this);
    this.answers = new AnswerWriter(this.output);
    this.#queue = new AnswerQueue(this.output, peer, timing, limits.maxUnsentBytes);
    this.#guard = new FloodGuard(limits, timing);
    this.#lingering = new Lingering(this, timing);
    this.#watch = new ConnectionWatch(owner.times, timing.clock.nowMs());
    this.#frames = new ServerFrames({
      rules,
      acceptors: owner.acceptors,
      streams: this.#streams,
      queue: this.#queue,
      peer,
      guard: this.#guard,
      life: this,
    });
    this.#reader = new FrameReader(this.#frames, rules.frames);
    // RFC 9113, 3.4: SETTINGS come first. The connection's window has no setting (6.9.2).
    this.output.add(rules.settings);
    const more = limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (more > 0) writeWindowUpdate(this.output, 0, more);
    this.output.flush();
  }

  get remoteAddress(): string {
    return this.#wire.remoteAddress;
  }

  /** What the socket has read; the bytes are ours. @hot */
  read(chunk: Buffer, nowMs: number): void {
    if (this.#parted) {
      this.#throwAway(chunk.length);
      return;
    }
    this.#watch.heard(nowMs);
    const from = this.#preface.read(chunk);
    if (from < 0) {
      if (from === Preface.Wrong) this.#part(H2Error.Protocol, 'The first bytes are not those of HTTP/2.');
      return;
    }
    const error = this.#reader.read(chunk, from, chunk.length);
    if (error !== H2Error.None) this.#fail(error);
    else if (this.output.pendingBytes > this.#maxUnsentBytes * PAUSE_FACTOR) this.#pause();
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.#paused && !this.#parted) {
      this.#paused = false;
      this.#wire.resume();
    }
    this.#queue.resume();
  }

  /** The socket is closed, or is of no more use. */
  lost(): void {
    this.#parted = true;
    this.#reader.stop();
    this.#dropAll();
    this.#wire.destroy();
  }

  /** Takes no more calls: first says so, then says which was the last (RFC 9113, 6.8). */
  drain(): void {
    if (this.#draining || this.#parted) return;
    this.#draining = true;
    writeGoAway(this.output, MASK_31, H2Error.None, '');
    writePing(this.output, false, DRAIN_PING, 0);
  }

  /** Looked at again and again, as often as the owner's times ask for it. */
  look(nowMs: number): void {
    if (this.#parted) {
      if (this.#watch.farewellOver(nowMs)) this.lost();
      return;
    }
    const streams = this.#streams.waiting;
    const verdict = this.#watch.look(nowMs, { streams, unsentBytes: this.#wire.writableLength, draining: this.#draining });
    if (verdict === 'dead') this.lost();
    else if (verdict === 'idle') this.#part(H2Error.None, '');
    else if (verdict === 'ask') writePing(this.output, false, ALIVE_PING, 0);
    else if (verdict === 'last') this.#sayLast();
    if (!this.#parted) this.#cutStalled(nowMs);
  }

  send(stream: ServerStream): void {
    this.#queue.send(stream);
  }

  widen(stream: ServerStream, bytes: number): void {
    writeWindowUpdate(this.output, stream.streamId, bytes);
  }

  /** @hot */
  finish(stream: ServerStream): void {
    if (stream.over) return;
    stream.over = true;
    this.#guard.moved();
    if (stream.clientDone) this.#streams.remove(stream, false);
    else this.#leaveBehind(stream);
    this.soon(stream);
  }

  forget(stream: ServerStream): void {
    stream.over = true;
    this.#streams.remove(stream, false);
  }

  reset(stream: ServerStream, code: H2ErrorCode): void {
    if (stream.over) return;
    this.#cut(stream, code);
    this.soon(stream);
  }

  violated(stream: ServerStream, code: H2ErrorCode): void {
    if (stream.over) return;
    this.#cut(stream, code);
    this.#frames.violated();
    stream.onLost();
  }

  soon(stream: ServerStream): void {
    this.#due.push(stream);
    this.output.schedule();
  }

  onFlush(): void {
    do {
      this.#queue.pump();
      this.#settle();
    } while (this.#queue.isResumed);
    if (this.#streams.waiting === 0 && this.#lastSaid) this.#part(H2Error.None, '');
  }

  onSettled(): void {
    this.#watch.opened();
  }

  onPingAck(payload: Buffer, from: number): void {
    if (this.#draining && payload[from] === DRAIN_PING[0]) this.#sayLast();
  }

  onLingering(stream: ServerStream): void {
    this.#lingering.add(stream);
  }

  #leaveBehind({ streamId, sendWindow, window }: ServerStream): void {
    const after = new AnsweredStream(this, { streamId, sendWindow, receiveWindow: window.left });
    this.#streams.replace(after);
    this.#lingering.add(after);
  }

  #settle(): void {
    const due = this.#due;
    // What settles one may make others due.
    for (let i = 0; i < due.length; i++) due[i]!.settle();
    due.length = 0;
  }

  #sayLast(): void {
    if (this.#lastSaid) return;
    this.#lastSaid = true;
    this.lastServedId = this.#streams.lastId;
    writeGoAway(this.output, this.lastServedId, H2Error.None, '');
  }

  /** A client that gives one stream no room is told that it is cancelled; one that does so again and again is done with. */
  #cutStalled(nowMs: number): void {
    const sinceMs = nowMs - this.#watch.times.writeStallMs;
    for (let stream = this.#queue.stalledSince(sinceMs); stream !== null; stream = this.#queue.stalledSince(sinceMs)) {
      this.#cut(stream, H2Error.Cancel);
      stream.onLost();
      if (!this.#guard.stalled()) {
        this.#part(H2Error.EnhanceYourCalm, 'too many answers were given no room');
        return;
      }
    }
  }

  #cut(stream: ServerStream, code: H2ErrorCode): void {
    stream.over = true;
    writeReset(this.output, stream.streamId, code);
    this.#streams.remove(stream, true);
  }

  #pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  #fail(code: H2ErrorCode): void {
    this.#part(code, this.#reader.problem || this.#frames.problem || h2ErrorName(code));
  }

  /** RFC 9113, 5.4.1 and 6.8: the last that is said is GOAWAY. The socket is not closed yet, or its reset could overtake it. */
  #part(code: H2ErrorCode, debug: string): void {
    if (this.#parted) return;
    this.#parted = true;
    this.#reader.stop();
    writeGoAway(this.output, this.#streams.lastId, code, debug);
    this.#dropAll();
    this.output.flush();
    this.#wire.end();
    if (this.#paused) this.#wire.resume();
  }

  #dropAll(): void {
    this.#lingering.stop();
    for (const stream of this.#streams.all()) {
      stream.over = true;
      this.#streams.remove(stream, true);
      stream.onLost();
    }
    this.#settle();
  }

  #throwAway(bytes: number): void {
    this.#lingerBytes += bytes;
    if (this.#lingerBytes > LINGER_BYTES) this.#wire.pause();
  }
}

const DRAIN_PING = Buffer.from('drain\0\0\0', 'latin1');
const ALIVE_PING = Buffer.from('alive\0\0\0', 'latin1');
