import { GrpcStatus } from '../../../core/grpc-status.ts';
import { safeMessage } from '../../grpc/call-parts.ts';
import type { AcceptExchange, ByteRoom, ExchangeOwner, UnaryExchange } from '../../grpc/unary-exchange.ts';
import { H2Error } from '../h2-error.ts';
import { MESSAGE_HEAD_BYTES } from '../message-reader.ts';
import { GrpcCall } from './grpc-call.ts';
import { NOTHING } from './server-stream.ts';

/** A call with one message each way. */
export class UnaryStream extends GrpcCall implements UnaryExchange {
  #owner: ExchangeOwner | null = null;
  #room: ByteRoom | null = null;
  #leftBytes = 0;
  #maxBytes = 0;
  #reading = false;
  #message: Buffer | null = null;
  /** The owner has its message, or knows that there is none. */
  #readDone = false;
  #closed = false;

  accept(accept: AcceptExchange): void {
    this.#owner = accept(this);
    this.check();
  }

  read(): void {
    if (this.#reading || this.ended) return;
    this.#reading = true;
    if (this.#owner === null) return;
    if (this.clientDone) this.takeEnd();
    else this.makeRoom();
  }

  limit(maxBytes: number, room: ByteRoom): void {
    this.#room = room;
    this.#maxBytes = maxBytes;
    this.#leftBytes = maxBytes + MESSAGE_HEAD_BYTES;
  }

  answer(headers: readonly string[], pieces: readonly Uint8Array[]): void {
    if (this.ended) return;
    this.ended = true;
    this.home.answers.open(this.streamId, headers);
    this.load(pieces);
    this.home.send(this);
  }

  refuse(status: number, message: string, headers: readonly string[]): void {
    if (this.ended) return;
    this.ended = true;
    this.home.answers.refuse(this.streamId, status, safeMessage(message), headers);
    this.home.finish(this);
  }

  cut(): void {
    this.ended = true;
    if (!this.over) this.home.reset(this, H2Error.Cancel);
  }

  onMessageSent(): void {
    this.pieces = NOTHING;
    this.home.answers.endOk(this.streamId);
    this.home.finish(this);
  }

  onLost(): void {
    this.ended = true;
    if (this.#closed) return;
    this.#owner?.left();
    this.settle();
  }

  settle(): void {
    if (this.#closed || !this.over) return;
    this.#closed = true;
    this.pieces = NOTHING;
    this.#message = null;
    this.#owner?.closed();
  }

  protected override takeBytes(chunk: Buffer, from: number, to: number): void {
    if (this.#readDone || this.ended) return;
    if (this.#room === null || this.#count(to - from, this.#room)) super.takeBytes(chunk, from, to);
  }

  protected take(message: Buffer): void {
    if (this.#message === null) {
      this.#message = message;
      return;
    }
    this.#tellSpoiled(GrpcStatus.Ok, 'A second message came, expected one.');
  }

  protected takeLast(): void {
    if (this.#readDone || !this.#reading) return;
    const message = this.#message;
    if (message === null) {
      this.#tellSpoiled(GrpcStatus.Ok, 'No message came, expected one.');
      return;
    }
    this.#readDone = true;
    this.#message = null;
    this.#owner!.received(message);
  }

  protected spoil(status: number, text: string): void {
    this.refuse(status, text, NO_FIELDS);
    if (!this.#readDone) this.#tellSpoiled(status, text);
  }

  protected heldBytes(): number {
    if (this.#reading) return this.behindBytes;
    return this.behindBytes + this.reader.haveBytes + (this.#message === null ? 0 : this.#message.length + MESSAGE_HEAD_BYTES);
  }

  #tellSpoiled(status: number, text: string): void {
    this.#readDone = true;
    this.#message = null;
    this.#owner!.spoiled(status, text);
  }

  #count(bytes: number, room: ByteRoom): boolean {
    this.#leftBytes -= bytes;
    if (this.#leftBytes >= 0) {
      if (room.take(bytes)) return true;
      this.#readDone = true;
      return false;
    }
    this.#tellSpoiled(GrpcStatus.ResourceExhausted, `More than ${this.#maxBytes} bytes came.`);
    return false;
  }
}

const NO_FIELDS: readonly string[] = [];
