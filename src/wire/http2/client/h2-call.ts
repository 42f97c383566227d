import type { Timed } from '../../../core/deadline-heap.ts';
import { GrpcStatus } from '../../../core/grpc-status.ts';
import { askedWaitMs } from '../../grpc/pushback.ts';
import { ReceiveWindow } from '../flow-window.ts';
import { H2Error, type H2ErrorCode, h2ErrorName } from '../h2-error.ts';
import type { FieldList } from '../hpack/field-list.ts';
import { MESSAGE_HEAD_BYTES, MessageReader } from '../message-reader.ts';
import { hasNoPseudo, isAnswerHead, isGrpcType, messageOf, statusOf, statusOfHttp, statusOfReset } from './answer-status.ts';
import type { CallHead } from './call-heads.ts';

/** What a call needs from the connection that it is on. */
export interface CallCarrier {
  /** The call is over and its stream goes; the other side hears of it when it is still open there. */
  release(call: H2Call, code: H2ErrorCode): void;
  /** The call leaves the connection, and has not ended: nothing more of it is sent here. */
  handBack(call: H2Call): void;
  /** Gives the other side more of the call's window. */
  widen(call: H2Call, bytes: number): void;
  /** Whether the stream's first frame has been given to the socket. */
  hasSent(streamId: number): boolean;
}

/** What a call needs from its channel. */
export interface CallHome {
  readonly maxMessageBytes: number;
  /** What a server may send on one stream before we have used any of it. */
  readonly streamWindowBytes: number;
  nowMs(): number;
  wallMs(): number;
  /** The call is over, wherever it was. */
  forget(call: H2Call): void;
  /** Begins a call, which is on no connection, on one that takes it, or has it wait for one. */
  place(call: H2Call): void;
}

/** Answers of 1xx before the real one (RFC 9113, 8.1); more are no help to anybody. */
const MAX_INFORMATIONAL = 8;
/** Chunks are read into again, so nothing may be kept as a view on them. */
const NO_VIEWS = Number.POSITIVE_INFINITY;

/**
 * One gRPC call on one stream, from the side that asks: it reads the answer and finds out how it ended. What is said to whom is up to the
 * two kinds that there are.
 */
export abstract class H2Call implements CallHead, Timed {
  readonly path: string;
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  heapAt = -1;
  /** What is asked, in pieces that stay as they are until the call is over. */
  pieces: readonly Uint8Array[];
  /** Of the question, its head included, so many bytes have not been sent. */
  unsentBytes: number;
  /** Where the rest of it begins. */
  piece = 0;
  pieceAt = 0;
  readonly messageBytes: number;
  sendWindow = 0;
  streamId = 0;
  over = false;
  /** Nothing more comes from the other side. */
  remoteEnded = false;
  readonly window: ReceiveWindow;
  protected readonly reader: MessageReader;
  readonly #home: CallHome;
  #carrier: CallCarrier | null = null;
  #headed = false;
  #informational = 0;
  #begunAgain = false;

  constructor(home: CallHome, head: CallHead, pieces: readonly Uint8Array[], deadlineMs: number) {
    this.#home = home;
    this.path = head.path;
    this.headers = head.headers;
    this.timeoutMs = head.timeoutMs;
    this.deadlineMs = deadlineMs;
    this.pieces = pieces;
    let bytes = 0;
    for (let i = 0; i < pieces.length; i++) bytes += pieces[i]!.length;
    this.messageBytes = bytes;
    this.unsentBytes = bytes + MESSAGE_HEAD_BYTES;
    this.window = new ReceiveWindow(home.streamWindowBytes);
    this.reader = new MessageReader(home.maxMessageBytes, NO_VIEWS);
  }

  /** A whole message. */
  protected abstract take(message: Buffer): void;
  /** The status is OK and nothing more comes. */
  protected abstract finish(): void;
  /** Any other end. */
  protected abstract tell(status: number, details: string, sent: boolean, pushbackMs: number): void;
  /** Bytes that came and that nobody has asked for. */
  protected abstract heldBytes(): number;

  begin(carrier: CallCarrier, streamId: number, sendWindow: number): void {
    this.#carrier = carrier;
    this.streamId = streamId;
    this.sendWindow = sendWindow;
  }

  /** Whether the server may have heard of it. */
  get sent(): boolean {
    return this.#carrier?.hasSent(this.streamId) ?? false;
  }

  /** Its time is over. */
  expire(): void {
    if (!this.over) this.end(GrpcStatus.DeadlineExceeded, `No answer within ${this.timeoutMs} ms.`, this.sent, 0, H2Error.Cancel);
  }

  /** Idempotent. The sink hears Cancelled, unless the end is on the way already. */
  cancel(): void {
    if (this.over) return;
    const { sent } = this;
    this.leave(H2Error.Cancel);
    process.nextTick(tellCancelled, this, sent);
  }

  /** Ends it without the other side: never from inside the call that began it. */
  failSoon(status: number, details: string): void {
    if (this.over) return;
    this.leave(H2Error.None);
    process.nextTick(tellFailed, this, status, details);
  }

  /** The connection is gone, or will not serve this stream. */
  drop(details: string, sent: boolean): void {
    if (!this.over) this.end(GrpcStatus.Unavailable, details, sent, 0, H2Error.None);
  }

  onReset(code: H2ErrorCode): void {
    const details = `The server reset the stream: ${h2ErrorName(code)}.`;
    if (code === H2Error.RefusedStream) this.unseen(details);
    else this.end(statusOfReset(code, this.#home.nowMs() >= this.deadlineMs), details, true, 0, H2Error.None);
  }

  /**
   * The server says that it has not looked at it (RFC 9113, 6.8 and 8.7): nobody did anything for it, and it begins once more. Once and not again and
   * again, as gRPC's proposal A6 has it: what is refused twice is for those to know who may ask somebody else.
   */
  unseen(details: string): void {
    if (this.over) return;
    const carrier = this.#carrier;
    if (carrier === null || this.#begunAgain || this.#headed) {
      this.drop(details, false);
      return;
    }
    this.#begunAgain = true;
    carrier.handBack(this);
    this.#carrier = null;
    this.streamId = 0;
    this.unsentBytes = this.messageBytes + MESSAGE_HEAD_BYTES;
    this.piece = 0;
    this.pieceAt = 0;
    this.#home.place(this);
  }

  /** The server broke a rule that concerns this stream alone (RFC 9113, 5.4.2). */
  onViolation(code: H2ErrorCode): void {
    this.end(GrpcStatus.Internal, `The server broke the rules of HTTP/2 (${h2ErrorName(code)}).`, true, 0, code);
  }

  /** @hot */
  onHeaders(fields: FieldList, endStream: boolean): void {
    this.remoteEnded = endStream;
    if (fields.tooLarge) this.#refuse(`The header fields of the answer have ${fields.bytes} bytes, more than are taken.`);
    else if (fields.malformed) this.#refuse('The header fields of the answer are malformed.');
    else if (this.#headed) this.#takeTrailers(fields, endStream);
    else this.#takeHead(fields, endStream);
  }

  /** @hot */
  onBytes(chunk: Buffer, from: number, to: number): void {
    // RFC 9113, 8.1: header fields come first.
    if (!this.#headed) {
      this.#refuse('The answer begins without header fields.');
      return;
    }
    const { reader } = this;
    let at = from;
    while (at < to && !this.over) {
      at = reader.read(chunk, at, to);
      const { message } = reader;
      if (message !== null) {
        reader.message = null;
        this.take(message);
      } else if (reader.refusal !== '') this.#refuseMessage();
    }
  }

  /** A DATA frame is over. @hot */
  onDataEnd(endStream: boolean): void {
    if (this.over) return;
    if (endStream) this.remoteEnded = true;
    // A frame without bytes may be the first of an answer as little as one with them (RFC 9113, 8.1).
    if (!this.#headed) this.#refuse('The answer begins without header fields.');
    else if (endStream) {
      this.end(GrpcStatus.Internal, 'The answer ended without a status.', true, 0, H2Error.Cancel);
    } else this.widen();
  }

  /** Lets the other side send more when enough has been used. */
  protected widen(): void {
    if (this.over || this.#carrier === null) return;
    const bytes = this.window.due(this.heldBytes());
    if (bytes > 0) this.#carrier.widen(this, bytes);
  }

  /** Ends it and says so. `code` is what the other side is told if its half is open. */
  end(status: number, details: string, sent: boolean, pushbackMs: number, code: H2ErrorCode): void {
    this.leave(code);
    this.tell(status, details, sent, pushbackMs);
  }

  protected leave(code: H2ErrorCode): void {
    this.over = true;
    this.pieces = NOTHING;
    this.#home.forget(this);
    this.#carrier?.release(this, code);
  }

  #takeHead(fields: FieldList, endStream: boolean): void {
    const status = fields.values[0]!;
    if (!isAnswerHead(fields)) {
      this.#refuse('The answer begins without an HTTP status.');
      return;
    }
    if (status.charCodeAt(0) === ONE) {
      // 101 has no meaning in HTTP/2 (RFC 9113, 8.6), and what ends the stream is no interim answer (8.1).
      if (endStream || status === '101' || ++this.#informational > MAX_INFORMATIONAL)
        this.#refuse('An interim answer is misplaced.');
      return;
    }
    this.#headed = true;
    const hasStatus = fields.find('grpc-status') !== null;
    if (endStream && hasStatus) this.#takeStatus(fields);
    else if (status !== '200') this.#refuseHttp(fields, status);
    else if (!isGrpcType(fields.find('content-type'))) {
      this.end(GrpcStatus.Unknown, 'The answer is not of content type application/grpc.', true, 0, H2Error.Cancel);
    } else if (endStream) this.end(GrpcStatus.Internal, 'The answer ended without a status.', true, 0, H2Error.Cancel);
  }

  /** An HTTP server, or a proxy, has answered in place of one of gRPC. */
  #refuseHttp(fields: FieldList, status: string): void {
    const pushbackMs = askedWaitMs(fields.find('grpc-retry-pushback-ms'), fields.find('retry-after'), this.#home.wallMs());
    this.end(statusOfHttp(status), `The server answered with HTTP status ${status}.`, true, pushbackMs, H2Error.Cancel);
  }

  #takeTrailers(fields: FieldList, endStream: boolean): void {
    // RFC 9113, 8.1: trailers end the stream.
    if (!endStream || !hasNoPseudo(fields, 0)) this.#refuse('The trailers of the answer are malformed.');
    else if (fields.find('grpc-status') === null) {
      this.end(GrpcStatus.Unknown, 'The answer ended without a status.', true, 0, H2Error.Cancel);
    } else this.#takeStatus(fields);
  }

  #takeStatus(fields: FieldList): void {
    const status = statusOf(fields.find('grpc-status')!);
    if (status === GrpcStatus.Ok) {
      if (this.reader.haveBytes > 0) this.#refuse('The answer ended within a message.');
      else this.finish();
      return;
    }
    const details = messageOf(fields.find('grpc-message') ?? '');
    const pushbackMs = askedWaitMs(fields.find('grpc-retry-pushback-ms'), fields.find('retry-after'), this.#home.wallMs());
    this.end(status, details, true, pushbackMs, H2Error.Cancel);
  }

  #refuseMessage(): void {
    const { reader } = this;
    if (reader.refusal === 'size') {
      const details = `Received message larger than max (${reader.size} vs ${this.#home.maxMessageBytes})`;
      this.end(GrpcStatus.ResourceExhausted, details, true, 0, H2Error.Cancel);
    } else if (reader.refusal === 'compressed') this.#refuse('The answer is compressed, which was not asked for.');
    else this.#refuse('A message of the answer begins with an unknown flag.');
  }

  /** RFC 9113, 8.1.1: a malformed answer is a stream error. */
  #refuse(details: string): void {
    this.end(GrpcStatus.Internal, details, true, 0, H2Error.Protocol);
  }

  /** For the two functions below alone. */
  told(status: number, details: string, sent: boolean): void {
    this.tell(status, details, sent, 0);
  }
}

export function tellCancelled(call: H2Call, sent: boolean): void {
  call.told(GrpcStatus.Cancelled, 'Cancelled by its caller.', sent);
}

function tellFailed(call: H2Call, status: number, details: string): void {
  call.told(status, details, false);
}

const NOTHING: readonly Uint8Array[] = [];
const ONE = 0x31;
