import type { H2ClientLimits } from '../http2/client/client-limits.ts';
import type { StreamSink } from './streamed-call.ts';
import type { UnaryCall, UnarySink } from './waiting-call.ts';

/** PEM where it is a buffer; null takes what the system has, or sends none. */
export interface GrpcChannelTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** Name the server certificate must have; null is the host. */
  readonly serverName: string | null;
}

export interface GrpcChannelOptions {
  /** host:port; the name that calls are addressed to and that a certificate must have. */
  readonly address: string;
  /** The IP address that the host of `address` stands for; empty leaves finding it to the package. */
  readonly ip: string;
  /** Null is plaintext. */
  readonly tls: GrpcChannelTls | null;
  /** Largest answer taken. */
  readonly maxMessageBytes: number;
  /** A call that waits longer for a connection ends as Unavailable. */
  readonly connectTimeoutMs: number;
  /** For the engine of our own; the package keeps to the keep-alive times alone. */
  readonly http2: H2ClientLimits;
}

/** What travels with one call. `headers` is name, value, name, value. */
export interface CallOptions {
  readonly headers: readonly string[];
  readonly timeoutMs: number;
}

/** The answers of a streamed call, from the side that asks. */
export interface StreamAnswers {
  /** Asks for the next message; the first is asked for already. */
  read(): void;
  /** Idempotent. The sink hears Cancelled, unless the end is on the way already. */
  cancel(): void;
}

/** One message, or its pieces in order; they stay as they are until the call is over. */
export type Question = Buffer | readonly Uint8Array[];

/**
 * A way to one gRPC server that comes up again by itself. It never repeats a call that the server may have looked at: who may try again knows more
 * than it does. One of which the server says that it has not looked at it, the engine of our own begins once more; the package tells of it.
 */
export interface GrpcChannel {
  /** Begins a call with one message each way. The sink hears nothing from inside. */
  unary(path: string, question: Question, options: CallOptions, sink: UnarySink): UnaryCall;
  /** Begins a call with one message to the server and any number back. The sink hears nothing from inside. */
  streamed(path: string, question: Question, options: CallOptions, sink: StreamSink): StreamAnswers;
  /** Connects, trying again until it stands or the time is over. Never rejects. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Takes no new calls; those in flight go on, and the connection closes after the last. Idempotent. */
  close(): void;
}
