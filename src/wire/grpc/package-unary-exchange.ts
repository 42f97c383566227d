import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { blankEndedEntry, blankEndText } from './blank-ends.ts';
import { grantedMs, joined, nothing, safeMessage, statusSentOn, valueIn } from './call-parts.ts';
import { toMetadata } from './metadata.ts';
import { decodeSteadily, ownDeadline, streamOf } from './server-internals.ts';
import { cutStalled } from './stalled-stream.ts';
import type { AcceptExchange, ByteRoom, ExchangeOwner, UnaryExchange } from './unary-exchange.ts';

/**
 * One call as the package has it. It stands in for the package's handler, which would read the message
 * before anyone could say no.
 */
export class PackageUnaryExchange extends ServerInterceptingCall implements UnaryExchange {
  readonly path: string;
  readonly remoteAddress: string;
  readonly notes = null;
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

  header(name: string): string {
    return valueIn(this.#metadata!, name);
  }

  read(): void {
    this.#call.startRead();
  }

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
    const blankEnded = blankEndedEntry(metadata);
    if (blankEnded === '' || this.#ended) return;
    this.#readDone = true;
    this.refuse(GrpcStatus.InvalidArgument, blankEndText(blankEnded), []);
    this.#owner.spoiled(GrpcStatus.InvalidArgument, blankEndText(blankEnded));
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
