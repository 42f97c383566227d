import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { grantedMs, joined, nothing, safeMessage, statusSentOn, valueIn } from './call-parts.ts';
import { toMetadata } from './metadata.ts';
import { decodeSteadily, ownDeadline, streamOf } from './server-internals.ts';
import { cutStalled } from './stalled-stream.ts';

/** What an exchange tells its owner, in this order: received or spoiled, then left at any time, closed last and once. */
export interface ExchangeOwner {
  /** The one message, and the client sends nothing after it. Only after `read`. */
  received(message: Buffer): void;
  /**
   * The message cannot be had. `status` is what the package has answered by itself already, or Ok when the answer is still to be given.
   */
  spoiled(status: number, text: string): void;
  /** The client went away before its answer was whole. */
  left(): void;
  closed(): void;
}

/** Where the bytes of a message that is not whole yet are counted. */
export interface ByteRoom {
  /** False when there is no room for so many more. */
  take(bytes: number): boolean;
}

/** Who takes a new call. Called with all metadata here and no byte of the message; answering from inside is fine. */
export type AcceptExchange = (exchange: UnaryExchange) => ExchangeOwner;

/**
 * One call as the server sees it, from its metadata to its end. It stands in for the package's handler, which would read the message
 * before anyone could say no.
 */
export class UnaryExchange extends ServerInterceptingCall {
  readonly path: string;
  readonly remoteAddress: string;
  /** Milliseconds the client grants; 0 when it states none. */
  readonly timeoutMs: number;
  readonly #call: ServerInterceptingCallInterface;
  readonly #stream: ServerHttp2Stream;
  readonly #accept: AcceptExchange;
  readonly #writeStallMs: number;
  #metadata: Metadata | null = null;
  #owner: ExchangeOwner | null = null;
  #message: Buffer | null = null;
  #readDone = false;
  #clientDone = false;
  #ended = false;
  #cut = false;
  #closed = false;

  constructor(path: string, call: ServerInterceptingCallInterface, accept: AcceptExchange, writeStallMs: number) {
    super(call);
    this.path = path;
    this.#call = call;
    this.#stream = streamOf(call);
    this.#accept = accept;
    this.#writeStallMs = writeStallMs;
    this.remoteAddress = call.getConnectionInfo().remoteAddress ?? '';
    this.timeoutMs = grantedMs(Number(call.getDeadline()));
    ownDeadline(call);
    decodeSteadily(call);
  }

  /** The value of a metadata entry by its lower-case name; empty when it is absent, binary, or there is more than one. */
  header(name: string): string {
    return valueIn(this.#metadata!, name);
  }

  /** Asks for the message. Without it the client gets no room to send one. */
  read(): void {
    this.#call.startRead();
  }

  /** Takes no more than this of the message, and no piece that `room` has none for: it has refused the call by then. Before `read`. */
  limit(maxBytes: number, room: ByteRoom): void {
    let leftBytes = maxBytes + FRAME_HEAD_BYTES;
    this.#stream.on('data', (chunk: Uint8Array) => {
      if (this.#readDone || this.#ended) return;
      leftBytes -= chunk.length;
      if (leftBytes >= 0 && room.take(chunk.length)) return;
      this.#readDone = true;
      if (leftBytes >= 0) return;
      this.#owner!.spoiled(GrpcStatus.ResourceExhausted, `More than ${maxBytes} bytes came.`);
    });
  }

  answer(headers: readonly string[], pieces: readonly Uint8Array[]): void {
    if (this.#ended) return;
    this.#ended = true;
    // A client that takes nothing of its answer would hold it in memory for ever.
    this.#stream.setTimeout(this.#writeStallMs, cutStalled);
    this.#call.sendMetadata(toMetadata(headers));
    this.#call.sendMessage(joined(pieces), nothing);
    this.#call.sendStatus({ code: GrpcStatus.Ok, details: '' });
  }

  refuse(status: number, message: string, headers: readonly string[]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.setTimeout(this.#writeStallMs, cutStalled);
    this.#call.sendStatus({ code: status, details: safeMessage(message), metadata: toMetadata(headers) });
  }

  /** Ends the call without a status. */
  cut(): void {
    this.#ended = true;
    this.#cut = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** The package starts its handler through here; it is never started. */
  override start(): void {
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#owner = this.#accept(this);
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#readDone || this.#ended) return;
    if (this.#message === null) {
      this.#message = message;
      this.#call.startRead();
      return;
    }
    this.#readDone = true;
    this.#message = null;
    this.#owner!.spoiled(GrpcStatus.Ok, 'A second message came, expected one.');
  }

  onReceiveHalfClose(): void {
    // A stream that was reset ends its reading side as well; that client has left, and did not finish.
    if (this.#stream.closed) return;
    this.#clientDone = true;
    if (this.#readDone || this.#ended) return;
    this.#readDone = true;
    const message = this.#message;
    this.#message = null;
    if (message === null) this.#owner!.spoiled(GrpcStatus.Ok, 'No message came, expected one.');
    else this.#owner!.received(message);
  }

  /** However a call ends, the package says so here, one tick later. */
  onCancel(): void {
    const owner = this.#owner;
    if (owner === null || this.#closed) return;
    this.#closed = true;
    this.#message = null;
    const status = statusSentOn(this.#stream);
    if (!this.#ended && status > GrpcStatus.Ok) {
      this.#ended = true;
      owner.spoiled(status, 'The message could not be read.');
    } else if (status < 0 && !this.#cut) {
      this.#ended = true;
      owner.left();
    }
    this.#stopClient();
    owner.closed();
  }

  /** RFC 9113, 8.1: after a complete answer, RST_STREAM with NO_ERROR asks the client to send no more of its request. */
  #stopClient(): void {
    if (!this.#clientDone && !this.#stream.closed) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** A flag and a length ahead of each message. */
const FRAME_HEAD_BYTES = 5;
