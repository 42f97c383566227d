import { Deadlines } from '../../../core/deadlines.ts';
import { GrpcStatus } from '../../../core/grpc-status.ts';
import { SYSTEM_TIMING, type Timing } from '../../../core/timing.ts';
import type { CallOptions, GrpcChannel, GrpcChannelOptions, Question, StreamAnswers } from '../../grpc/grpc-channel.ts';
import { isCarried } from '../../grpc/metadata-names.ts';
import type { StreamSink } from '../../grpc/streamed-call.ts';
import type { UnaryCall, UnarySink } from '../../grpc/waiting-call.ts';
import { CallHeads } from './call-heads.ts';
import { clientRules } from './client-limits.ts';
import { ConnectionSet } from './connection-set.ts';
import type { CallHome, H2Call } from './h2-call.ts';
import { StreamedH2Call } from './streamed-h2-call.ts';
import { UnaryH2Call } from './unary-h2-call.ts';

/** A gRPC channel on an HTTP/2 engine of our own: one connection, and more where the server limits the calls on one. */
export class H2Channel implements GrpcChannel, CallHome {
  readonly maxMessageBytes: number;
  readonly streamWindowBytes: number;
  readonly #timing: Timing;
  readonly #maxWaiting: number;
  readonly #deadlines: Deadlines<H2Call>;
  readonly #connections: ConnectionSet;
  /** In the order they came. */
  readonly #waiting = new Set<H2Call>();
  #closed = false;

  constructor(options: GrpcChannelOptions, timing: Timing = SYSTEM_TIMING, firstStreamId = 1) {
    const { tls, address, http2 } = options;
    this.maxMessageBytes = options.maxMessageBytes;
    this.streamWindowBytes = http2.streamWindowBytes;
    this.#maxWaiting = http2.maxWaitingCalls;
    this.#timing = timing;
    this.#deadlines = new Deadlines(timing, expire);
    const authority = tls?.serverName ?? address;
    const heads = new CallHeads({ authority, secure: tls !== null, isCarried });
    this.#connections = new ConnectionSet(options, { heads, rules: clientRules(http2, firstStreamId), timing }, this);
  }

  /** @hot */
  unary(path: string, question: Question, options: CallOptions, sink: UnarySink): UnaryCall {
    const nowMs = this.#timing.clock.nowMs();
    const timeoutMs = Math.max(1, Math.ceil(options.timeoutMs));
    const head = { path, headers: options.headers, timeoutMs };
    const call = new UnaryH2Call(this, head, piecesOf(question), nowMs + timeoutMs, sink);
    this.#begin(call, nowMs);
    return call;
  }

  streamed(path: string, question: Question, options: CallOptions, sink: StreamSink): StreamAnswers {
    const nowMs = this.#timing.clock.nowMs();
    const timeoutMs = Math.max(1, Math.ceil(options.timeoutMs));
    const head = { path, headers: options.headers, timeoutMs };
    const call = new StreamedH2Call(this, head, piecesOf(question), nowMs + timeoutMs, sink);
    this.#begin(call, nowMs);
    return call;
  }

  ready(timeoutMs: number): Promise<boolean> {
    return this.#closed ? Promise.resolve(false) : this.#connections.ready(timeoutMs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#waiting) call.failSoon(GrpcStatus.Unavailable, CLOSED);
    this.#connections.close();
  }

  nowMs(): number {
    return this.#timing.clock.nowMs();
  }

  wallMs(): number {
    return this.#timing.clock.wallMs();
  }

  forget(call: H2Call): void {
    this.#deadlines.remove(call);
    if (call.streamId === 0) this.#waiting.delete(call);
  }

  /** Its deadline is watched already. @hot */
  place(call: H2Call): void {
    const connection = this.#closed ? null : this.#connections.withRoom();
    if (connection !== null && this.#waiting.size === 0) {
      if (!connection.begin(call)) call.failSoon(GrpcStatus.Internal, LONG_HEADERS);
      return;
    }
    if (this.#closed) call.failSoon(GrpcStatus.Unavailable, CLOSED);
    else if (this.#connections.failure !== null) call.failSoon(GrpcStatus.Unavailable, unconnected(this.#connections.failure));
    else if (this.#waiting.size >= this.#maxWaiting) call.failSoon(GrpcStatus.ResourceExhausted, tooMany(this.#maxWaiting));
    else {
      this.#waiting.add(call);
      this.#connections.want();
    }
  }

  /** Calls may begin: those that wait come first. */
  onRoom(): void {
    if (this.#waiting.size === 0) return;
    for (const call of this.#waiting) {
      const connection = this.#connections.withRoom();
      if (connection === null) {
        // There may be one more than those there are.
        this.#connections.want();
        return;
      }
      this.#waiting.delete(call);
      if (!connection.begin(call)) call.failSoon(GrpcStatus.Internal, LONG_HEADERS);
    }
  }

  onFewer(): void {
    if (this.#waiting.size > 0) this.#connections.want();
  }

  /** No connection came about; who waits for one does not wait longer. */
  onNoConnection(reason: string): void {
    for (const call of this.#waiting) call.drop(unconnected(reason), false);
  }

  #begin(call: H2Call, nowMs: number): void {
    this.#deadlines.add(call, nowMs);
    this.place(call);
  }
}

const expire = (call: H2Call): void => call.expire();

const CLOSED = 'The channel is closed.';
const LONG_HEADERS = 'The header fields of the call are larger than the server takes.';
const tooMany = (waiting: number): string =>
  `${waiting} calls are waiting for the server, as many as may (http2.maxWaitingCalls).`;

const unconnected = (reason: string): string => `No connection established. ${reason}`;

const piecesOf = (question: Question): readonly Uint8Array[] => (Buffer.isBuffer(question) ? [question] : question);
