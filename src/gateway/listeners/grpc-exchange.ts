import type { RequestContext } from '../../core/context.ts';
import type { Timed } from '../../core/deadline-heap.ts';
import type { Exit, Front, Head, HeadNotes, Reply } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { ByteRoom, ExchangeOwner, UnaryExchange } from '../../wire/grpc/unary-exchange.ts';
import { spoiledBy } from './grpc-spoiled.ts';
import type { StreamHouse } from './stream-house.ts';

/** Milliseconds a caller is told to wait when the bytes on their way are too many. */
const NO_ROOM_WAIT_MS = 1_000;

/** One gRPC call between the wire and the front: its head, its way out, and the news of both; one object for all, since there is one a request. */
export class GrpcExchange implements ExchangeOwner, Head, Exit, ByteRoom, Timed {
  readonly face = 'grpc';
  readonly method = 'POST';
  readonly query = '';
  /** The client does not say. */
  readonly contentLength = -1;
  readonly path: string;
  readonly timeoutMs: number;
  readonly remoteAddress: string;
  readonly notes: HeadNotes | null;
  /** By when its message has to be here. */
  deadlineMs = 0;
  heapAt = -1;
  readonly #exchange: UnaryExchange;
  readonly #front: Front;
  readonly #ctx: RequestContext;
  readonly #house: StreamHouse;
  /** Bytes here of a message that is not whole yet. */
  #partialBytes = 0;

  /** @hot */
  constructor(exchange: UnaryExchange, house: StreamHouse) {
    this.path = exchange.path;
    this.timeoutMs = exchange.timeoutMs;
    this.remoteAddress = exchange.remoteAddress;
    this.notes = exchange.notes;
    this.#exchange = exchange;
    this.#house = house;
    this.#front = house.front;
    this.#ctx = house.front.open(this, this);
    if (!this.#ctx.awaitsBody) return;
    const nowMs = house.clock.nowMs();
    this.deadlineMs = nowMs + (this.#hasOwnGrant() ? this.timeoutMs : house.limits.bodyTimeoutMs);
    house.slowBodies.add(this, nowMs);
    exchange.limit(this.#ctx.bodyLimitBytes, this);
    exchange.read();
  }

  header(name: string): string {
    return this.#exchange.header(name);
  }

  send(reply: Reply): void {
    if (reply.grpc === GrpcStatus.Ok) this.#exchange.answer(reply.headers, reply.pieces);
    else this.#exchange.refuse(reply.grpc, reply.message, reply.headers);
  }

  reset(): void {
    this.#exchange.cut();
  }

  take(bytes: number): boolean {
    if (this.#house.movePartial(this.#partialBytes, this.#partialBytes + bytes)) {
      this.#partialBytes += bytes;
      return true;
    }
    this.#ctx.retryAfterMs = NO_ROOM_WAIT_MS;
    this.#fail(Fault.Overloaded, 'Too many messages are on their way.');
    return false;
  }

  received(message: Buffer): void {
    this.#stopReading();
    const ctx = this.#ctx;
    if (!ctx.awaitsBody) return;
    if (message.length > ctx.bodyLimitBytes) {
      this.#fail(Fault.BodyTooLarge, `Found ${message.length} bytes, at most ${ctx.bodyLimitBytes} are taken.`);
      return;
    }
    this.#front.complete(ctx, [message]);
  }

  spoiled(status: number, text: string): void {
    this.#fail(spoiledBy(status), text);
  }

  left(): void {
    this.#front.gone(this.#ctx);
  }

  closed(): void {
    this.#stopReading();
    this.#front.closed(this.#ctx);
  }

  /** Its message has taken too long. */
  slow(): void {
    if (this.#hasOwnGrant()) this.#fail(Fault.DeadlineOver, 'The message was still on its way.');
    else this.#fail(Fault.BodyTimeout, `Expected the whole message within ${this.#house.limits.bodyTimeoutMs} ms.`);
  }

  /** The client grants less time for everything than it would get for its message alone. */
  #hasOwnGrant(): boolean {
    return this.timeoutMs > 0 && this.timeoutMs < this.#house.limits.bodyTimeoutMs;
  }

  #fail(kind: FaultKind, detail: string): void {
    this.#stopReading();
    if (this.#ctx.awaitsBody) this.#front.fail(this.#ctx, kind, detail);
  }

  #stopReading(): void {
    if (this.#partialBytes > 0) this.#house.movePartial(this.#partialBytes, 0);
    this.#partialBytes = 0;
    this.#house.slowBodies.remove(this);
  }
}
