import { constants, type ServerHttp2Stream } from 'node:http2';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { grantedMs, joined, nothing, safeMessage, statusSentOn, valueIn } from './call-parts.ts';
import { MessageProgress } from './message-progress.ts';
import { toMetadata } from './metadata.ts';
import { decodeSteadily, ownDeadline, streamOf } from './server-internals.ts';
import { cutStalled } from './stalled-stream.ts';

/** What a call of many messages tells its owner: any of the first four in any order, then spoiled or left or neither, closed last and once. */
export interface StreamOwner {
  /** One message; one for each `read`. */
  received(message: Buffer): void;
  /** `bytes` of a message that is not whole are here; 0 between messages. `isNew` when the message before it has come whole. */
  arriving(bytes: number, isNew: boolean): void;
  /** The client sends nothing more. Only after `read`. */
  finished(): void;
  /** A message cannot be had, and the package has ended the call with `status`. */
  spoiled(status: number, text: string): void;
  /** The client went away before the call had its status. */
  left(): void;
  closed(): void;
}

/** Who takes a new call. Called with all metadata here and no byte of a message; ending the call from inside is fine. */
export type AcceptStream = (exchange: StreamExchange) => StreamOwner;

/** One call with many messages as the server sees it. It reads and writes one message at a time, as its owner asks. */
export class StreamExchange extends ServerInterceptingCall {
  readonly path: string;
  readonly remoteAddress: string;
  /** Milliseconds the client grants to the whole call; 0 when it states none. */
  readonly timeoutMs: number;
  readonly #call: ServerInterceptingCallInterface;
  readonly #stream: ServerHttp2Stream;
  readonly #accept: AcceptStream;
  readonly #writeStallMs: number;
  readonly #progress = new MessageProgress();
  #metadata: Metadata | null = null;
  #owner: StreamOwner | null = null;
  #writes = 0;
  #clientDone = false;
  #ended = false;
  #cut = false;
  #closed = false;

  constructor(path: string, call: ServerInterceptingCallInterface, accept: AcceptStream, writeStallMs: number) {
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
    this.#stream.on('data', (chunk: Uint8Array) => this.#follow(chunk));
    this.#stream.on('timeout', cutStalled);
    // A stream that fails also closes, and that is what counts.
    this.#stream.on('error', nothing);
  }

  /** The value of a metadata entry by its lower-case name; empty when it is absent, binary, or there is more than one. */
  header(name: string): string {
    return valueIn(this.#metadata!, name);
  }

  /** Tells the client that its call is taken. */
  open(): void {
    this.#call.sendMetadata(new Metadata());
  }

  /** Asks for one message, or the news that none will come. */
  read(): void {
    if (!this.#ended) this.#call.startRead();
  }

  /** Takes no more bytes from the client, also of a message that has begun. For good: `end` follows. */
  hold(): void {
    this.#stream.pause();
  }

  /** Sends one message. `written` hears when it was handed over, and never if the call ends before. */
  write(pieces: readonly Uint8Array[], written: () => void): void {
    // The package does not ask whether it has ended the stream itself, and writing behind the end would be an error of the stream.
    if (this.#ended || this.#stream.writableEnded) return;
    // A client that takes nothing of its answers would hold them in memory for ever.
    if (this.#writes++ === 0) this.#stream.setTimeout(this.#writeStallMs);
    this.#call.sendMessage(joined(pieces), () => {
      if (--this.#writes === 0 && !this.#ended) this.#stream.setTimeout(0);
      written();
    });
  }

  /** Ends the call, after what is written. */
  end(status: number, message: string, headers: readonly string[]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.setTimeout(this.#writeStallMs);
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
    if (!this.#ended) this.#owner!.received(message);
  }

  onReceiveHalfClose(): void {
    // A stream that was reset ends its reading side as well; that client has left, and did not finish.
    if (this.#stream.closed) return;
    this.#clientDone = true;
    if (!this.#ended) this.#owner!.finished();
  }

  /** However a call ends, the package says so here, one tick later. */
  onCancel(): void {
    const owner = this.#owner;
    if (owner === null || this.#closed) return;
    this.#closed = true;
    const status = statusSentOn(this.#stream);
    if (!this.#ended && status > GrpcStatus.Ok) owner.spoiled(status, 'A message could not be read.');
    else if (status < 0 && !this.#cut) owner.left();
    this.#ended = true;
    this.#stopClient();
    owner.closed();
  }

  #follow(chunk: Uint8Array): void {
    if (this.#ended || this.#owner === null) return;
    const progress = this.#progress;
    const before = progress.whole;
    progress.feed(chunk);
    this.#owner.arriving(progress.partialBytes, progress.whole !== before);
  }

  /** RFC 9113, 8.1: after a complete answer, RST_STREAM with NO_ERROR asks the client to send no more of its request. */
  #stopClient(): void {
    if (this.#clientDone || this.#stream.closed) return;
    // A reset overtakes trailers that wait to be written, and the client would never see its status.
    if (this.#stream.sentTrailers === undefined) stop(this.#stream);
    else setTimeout(stop, TRAILERS_MS, this.#stream).unref();
  }
}

/** Time for trailers to be written, and for the client to end its own side. */
const TRAILERS_MS = 250;

function stop(stream: ServerHttp2Stream): void {
  if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
}
