import type { Head, HeadNotes } from '../../core/exchange.ts';

/** What a call of either kind knows of itself. */
export interface GrpcCallHead {
  readonly path: string;
  readonly remoteAddress: string;
  readonly notes: HeadNotes | null;
  header(name: string): string;
}

/** The head of a request over gRPC. */
export class GrpcHead implements Head {
  readonly face = 'grpc';
  readonly method = 'POST';
  readonly query = '';
  readonly path: string;
  readonly contentLength: number;
  readonly timeoutMs: number;
  readonly remoteAddress: string;
  readonly notes: HeadNotes | null;
  readonly #call: GrpcCallHead;

  /** `timeoutMs` is what the client grants to this one request. */
  constructor(call: GrpcCallHead, contentLength: number, timeoutMs: number) {
    this.path = call.path;
    this.contentLength = contentLength;
    this.timeoutMs = timeoutMs;
    this.remoteAddress = call.remoteAddress;
    this.notes = call.notes;
    this.#call = call;
  }

  header(name: string): string {
    return this.#call.header(name);
  }
}

/** The head of one message of a stream: the metadata of the stream, under an id of its own. */
export class MessageHead extends GrpcHead {
  /** The stream's request id and the number of the message, so that no two requests have one id; empty where the client states none. */
  readonly #requestId: string;

  constructor(call: GrpcCallHead, contentLength: number, timeoutMs: number, number: number) {
    super(call, contentLength, timeoutMs);
    const own = call.header('x-request-id');
    this.#requestId = own === '' ? '' : `${own}.${number}`;
  }

  override header(name: string): string {
    return name === 'x-request-id' ? this.#requestId : super.header(name);
  }
}
