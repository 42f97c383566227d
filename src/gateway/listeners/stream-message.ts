import type { RequestContext } from '../../core/context.ts';
import type { Exit, Front, Head, PartExit, Reply } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';

/** The stream that a message came over. */
export interface MessageOwner {
  reply(message: StreamMessage, reply: Reply): void;
  /** A reply that cannot be had whole. */
  reset(): void;
}

/** One message of a stream as a request of its own: with its head, its context and its end. */
export class StreamMessage implements Exit {
  readonly head: Head;
  readonly bytes: Uint8Array;
  readonly #owner: MessageOwner;
  readonly #front: Front;
  #ctx: RequestContext | null = null;
  #replied = false;
  #closed = false;

  constructor(owner: MessageOwner, front: Front, head: Head, bytes: Uint8Array) {
    this.#owner = owner;
    this.#front = front;
    this.head = head;
    this.bytes = bytes;
  }

  /** Hands the whole message to the front; its reply may come from inside. */
  begin(): void {
    const ctx = this.#front.open(this.head, this);
    this.#ctx = ctx;
    if (!ctx.awaitsBody) return;
    const { length } = this.bytes;
    if (length <= ctx.bodyLimitBytes) this.#front.complete(ctx, [this.bytes]);
    else this.#front.fail(ctx, Fault.BodyTooLarge, `Found ${length} bytes, at most ${ctx.bodyLimitBytes} are taken.`);
  }

  send(reply: Reply): void {
    if (this.#replied) return;
    this.#replied = true;
    this.#owner.reply(this, reply);
  }

  reset(): void {
    if (!this.#closed) this.#owner.reset();
  }

  gone(): void {
    if (this.#ctx !== null && !this.#closed) this.#front.gone(this.#ctx);
  }

  /** The reply was handed over, or the stream is no more. */
  close(): void {
    if (this.#closed || this.#ctx === null) return;
    this.#closed = true;
    this.#front.closed(this.#ctx);
  }
}

/** A stream on which one message may have several answers. */
export interface PartOwner extends MessageOwner {
  /** One of several answers; `taken` hears when it was handed over. */
  part(message: StreamMessage, reply: Reply, taken: () => void): void;
  /** After the last of several. */
  end(message: StreamMessage, reply: Reply): void;
}

/** A message of such a stream. */
export class PartedMessage extends StreamMessage implements PartExit {
  readonly #parts: PartOwner;

  constructor(owner: PartOwner, front: Front, head: Head, bytes: Uint8Array) {
    super(owner, front, head, bytes);
    this.#parts = owner;
  }

  part(reply: Reply, taken: () => void): void {
    this.#parts.part(this, reply, taken);
  }

  end(reply: Reply): void {
    this.#parts.end(this, reply);
  }
}
