import { ReceiveWindow } from '../flow-window.ts';
import type { FrameOutput } from '../frames/frame-output.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { MESSAGE_HEAD_BYTES } from '../message-reader.ts';
import type { OutgoingMessage } from '../message-writer.ts';
import type { AnswerWriter } from './answer-writer.ts';

/** What a stream needs of the connection that it is on. */
export interface StreamHome {
  readonly output: FrameOutput;
  readonly answers: AnswerWriter;
  readonly remoteAddress: string;
  readonly maxMessageBytes: number;
  /** Sends what the stream has, now as far as there is room, and the rest as room comes. */
  send(stream: ServerStream): void;
  /** Gives the client more of the stream's window. */
  widen(stream: ServerStream, bytes: number): void;
  /** END_STREAM is written, and the stream goes; what a client that has not ended its side still sends is no concern of it. */
  finish(stream: ServerStream): void;
  /** Both sides have ended a stream that `finish` has left behind. */
  forget(stream: ServerStream): void;
  /** The stream goes without an end. */
  reset(stream: ServerStream, code: H2ErrorCode): void;
  /** The client has broken a rule on this stream alone (RFC 9113, 5.4.2). */
  violated(stream: ServerStream, code: H2ErrorCode): void;
  /** Has `settle` called at the end of this turn. */
  soon(stream: ServerStream): void;
}

/** One stream that a client has begun. What a request and its answer mean is up to the kinds that there are. */
export abstract class ServerStream implements OutgoingMessage {
  readonly streamId: number;
  readonly window: ReceiveWindow;
  sendWindow: number;
  pieces: readonly Uint8Array[] = NOTHING;
  messageBytes = 0;
  unsentBytes = 0;
  piece = 0;
  pieceAt = 0;
  /** Since when nothing of what is to be sent could be. */
  stalledSinceMs = 0;
  /** The client has sent END_STREAM. */
  clientDone = false;
  /** It is in no table any more. */
  over = false;
  /** All of the answer is written, and only the client's side is open. */
  abstract readonly isAnswered: boolean;
  /** The last of the data ends the stream. */
  abstract readonly endsWithData: boolean;
  protected readonly home: StreamHome;
  #contentLength: number;
  #cameBytes = 0;

  constructor(home: StreamHome, place: StreamPlace, contentLength: number) {
    this.home = home;
    this.streamId = place.streamId;
    this.sendWindow = place.sendWindow;
    this.window = new ReceiveWindow(place.receiveWindow);
    this.#contentLength = contentLength;
  }

  /** The message that was loaded is written. */
  abstract onMessageSent(): void;
  /** The client has reset the stream, or is gone altogether: the stream is over already. */
  abstract onLost(): void;
  /** The end of a turn in which it was asked for. */
  abstract settle(): void;
  protected abstract takeBytes(chunk: Buffer, from: number, to: number): void;
  protected abstract takeEnd(): void;
  /** Bytes that came and are not used yet. */
  protected abstract heldBytes(): number;

  /** @hot */
  onBytes(chunk: Buffer, from: number, to: number): void {
    this.#cameBytes += to - from;
    const surplus = this.#contentLength < 0 ? 0 : this.#cameBytes - this.#contentLength;
    if (surplus <= 0) this.takeBytes(chunk, from, to);
    else this.#takeSurplus(chunk, from, to - surplus);
  }

  /** What was stated is taken first: what a call comes to must not hang on how its bytes were cut. */
  #takeSurplus(chunk: Buffer, from: number, to: number): void {
    if (from < to) this.takeBytes(chunk, from, to);
    if (!this.over) this.home.violated(this, H2Error.Protocol);
  }

  /** A DATA frame, or the trailers, are over. @hot */
  onFrameEnd(endStream: boolean): void {
    if (this.over) return;
    if (!endStream) {
      this.makeRoom();
      return;
    }
    this.clientDone = true;
    // RFC 9113, 8.1.1: a length that does not fit makes a request malformed.
    if (this.#contentLength >= 0 && this.#cameBytes !== this.#contentLength) this.home.violated(this, H2Error.Protocol);
    else this.takeEnd();
  }

  /** Lets the client send more when enough has been used. */
  protected makeRoom(): void {
    if (this.over || this.clientDone) return;
    const bytes = this.window.due(this.heldBytes());
    if (bytes > 0) this.home.widen(this, bytes);
  }

  /** Makes `pieces` what is sent next, as a message of gRPC. @hot */
  protected load(pieces: readonly Uint8Array[]): void {
    let bytes = 0;
    for (let i = 0; i < pieces.length; i++) bytes += pieces[i]!.length;
    this.pieces = pieces;
    this.messageBytes = bytes;
    this.unsentBytes = bytes + MESSAGE_HEAD_BYTES;
    this.piece = 0;
    this.pieceAt = 0;
  }
}

/** Where a stream stands in its connection. */
export interface StreamPlace {
  readonly streamId: number;
  readonly sendWindow: number;
  readonly receiveWindow: number;
}

export const NOTHING: readonly Uint8Array[] = [];
