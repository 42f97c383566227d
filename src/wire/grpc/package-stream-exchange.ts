import { constants, type ServerHttp2Stream } from 'node:http2';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { blankEndedEntry, blankEndText } from './blank-ends.ts';
import { grantedMs, joined, nothing, safeMessage, statusSentOn, valueIn } from './call-parts.ts';
import { MessageProgress } from './message-progress.ts';
import { toMetadata } from './metadata.ts';
import { decodeSteadily, ownDeadline, streamOf } from './server-internals.ts';
import { cutStalled } from './stalled-stream.ts';
import type { AcceptStream, StreamExchange, StreamOwner } from './stream-exchange.ts';

/** One call with many messages as the package has it. */
export class PackageStreamExchange extends ServerInterceptingCall implements StreamExchange {
  readonly path: string;
  readonly remoteAddress: string;
  readonly notes = null;
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

  header(name: string): string {
    return valueIn(this.#metadata!, name);
  }

  open(): void {
    this.#call.sendMetadata(new Metadata());
  }

  read(): void {
    if (!this.#ended) this.#call.startRead();
  }

  hold(): void {
    this.#stream.pause();
  }

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

  end(status: number, message: string, headers: readonly string[]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.setTimeout(this.#writeStallMs);
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
    this.end(GrpcStatus.InvalidArgument, blankEndText(blankEnded), []);
    this.#owner.spoiled(GrpcStatus.InvalidArgument, blankEndText(blankEnded));
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
