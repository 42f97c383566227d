import { safeMessage } from '../../grpc/call-parts.ts';
import type { AcceptStream, StreamExchange, StreamOwner } from '../../grpc/stream-exchange.ts';
import { H2Error } from '../h2-error.ts';
import { MESSAGE_HEAD_BYTES } from '../message-reader.ts';
import { GrpcCall } from './grpc-call.ts';
import { NOTHING } from './server-stream.ts';

interface CallEnd {
  readonly status: number;
  readonly message: string;
  readonly headers: readonly string[];
}

interface Written {
  readonly pieces: readonly Uint8Array[];
  readonly written: () => void;
}

/** A call with many messages each way, of which each is handed on when it is asked for; what is not asked for fills the window. */
export class BidiStream extends GrpcCall implements StreamExchange {
  #owner: StreamOwner | null = null;
  /** Messages that came and that nobody has asked for. */
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;
  #asked = 0;
  #handing = false;
  /** A message has come whole since the owner was last told how much is on its way. */
  #isNew = false;
  #held = false;
  #lastTold = false;
  #opened = false;
  /** The first is the one being sent. */
  readonly #queue: Written[] = [];
  #handedOver: (() => void)[] = [];
  #end: CallEnd | null = null;
  #closed = false;

  accept(accept: AcceptStream): void {
    this.#owner = accept(this);
    this.check();
    this.#hand();
  }

  open(): void {
    if (this.#opened || this.ended) return;
    this.#opened = true;
    this.home.answers.open(this.streamId, NO_FIELDS);
  }

  read(): void {
    if (this.ended) return;
    this.#asked++;
    this.#hand();
    this.makeRoom();
  }

  hold(): void {
    this.#held = true;
    this.#drop();
  }

  write(pieces: readonly Uint8Array[], written: () => void): void {
    if (this.ended) return;
    this.open();
    this.#queue.push({ pieces, written });
    if (this.#queue.length > 1) return;
    this.load(pieces);
    this.home.send(this);
  }

  end(status: number, message: string, headers: readonly string[]): void {
    if (this.ended) return;
    this.ended = true;
    this.#drop();
    this.#end = { status, message: safeMessage(message), headers };
    if (this.#queue.length === 0) this.#writeEnd(this.#end);
  }

  cut(): void {
    this.ended = true;
    if (!this.over) this.home.reset(this, H2Error.Cancel);
  }

  onMessageSent(): void {
    this.#handedOver.push(this.#queue.shift()!.written);
    this.home.soon(this);
    this.pieces = NOTHING;
    const next = this.#queue[0];
    if (next !== undefined) this.load(next.pieces);
    else if (this.#end !== null) this.#writeEnd(this.#end);
  }

  onLost(): void {
    this.ended = true;
    if (this.#closed) return;
    this.#handedOver = [];
    this.#owner?.left();
    this.settle();
  }

  settle(): void {
    const handedOver = this.#handedOver;
    this.#handedOver = [];
    for (const written of handedOver) if (!this.#closed) written();
    if (this.#closed || !this.over) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#drop();
    this.#owner?.closed();
  }

  protected override takeBytes(chunk: Buffer, from: number, to: number): void {
    if (this.ended || this.#held) return;
    super.takeBytes(chunk, from, to);
    if (this.ended) return;
    const isNew = this.#isNew;
    this.#isNew = false;
    this.#owner!.arriving(this.reader.haveBytes, isNew);
    this.#hand();
  }

  protected take(message: Buffer): void {
    this.#isNew = true;
    this.#unread.push(message);
    this.#unreadBytes += message.length + MESSAGE_HEAD_BYTES;
  }

  protected takeLast(): void {
    this.#hand();
  }

  protected override takeEnd(): void {
    if (!this.#held) super.takeEnd();
  }

  override onUnpacked(message: Buffer): void {
    super.onUnpacked(message);
    if (!this.ended) this.#hand();
  }

  protected spoil(status: number, text: string): void {
    // Whole messages may have come together with what is wrong, and would be lost only because of that.
    this.#handUnread();
    if (this.ended) return;
    this.end(status, text, NO_FIELDS);
    this.#owner!.spoiled(status, text);
  }

  protected heldBytes(): number {
    if (this.#held) return Number.MAX_SAFE_INTEGER;
    // A message that is waited for may be larger than the window.
    if (this.#asked > 0 && this.#unread.length === 0) return this.behindBytes;
    return this.#unreadBytes + this.reader.haveBytes + this.behindBytes;
  }

  /** Hands on what was asked for and is here, or the news that nothing more comes. */
  #hand(): void {
    if (this.#handing || this.#owner === null) return;
    this.#handUnread();
    if (this.#asked > 0 && this.#isLast()) {
      this.#lastTold = true;
      this.#owner.finished();
    }
  }

  /** A loop, since owners ask for the next from inside. */
  #handUnread(): void {
    if (this.#handing) return;
    this.#handing = true;
    while (this.#asked > 0 && this.#unread.length > 0 && !this.ended) {
      const message = this.#unread.shift()!;
      this.#unreadBytes -= message.length + MESSAGE_HEAD_BYTES;
      this.#asked--;
      this.#owner!.received(message);
    }
    this.#handing = false;
  }

  #isLast(): boolean {
    const whole = this.clientDone && this.#unread.length === 0 && this.reader.haveBytes === 0 && !this.isUnpacking;
    return whole && !this.#lastTold && !this.ended && !this.#held;
  }

  #writeEnd({ status, message, headers }: CallEnd): void {
    const { answers } = this.home;
    if (this.#opened) answers.end(this.streamId, status, message, headers);
    else answers.refuse(this.streamId, status, message, headers);
    this.home.finish(this);
  }

  #drop(): void {
    this.#unread.length = 0;
    this.#unreadBytes = 0;
  }
}

const NO_FIELDS: readonly string[] = [];
