import type { RequestContext } from '../../core/context.ts';
import type { Exit, Front, Reply } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { ByteRoom, ExchangeOwner, UnaryExchange } from '../../wire/grpc/unary-exchange.ts';
import { GrpcHead } from './grpc-head.ts';
import { spoiledBy } from './grpc-spoiled.ts';
import type { StreamHouse } from './stream-house.ts';

/** Milliseconds a caller is told to wait when the bytes on their way are too many. */
const NO_ROOM_WAIT_MS = 1_000;

/** One gRPC call between the wire and the front: its head, its way out, and the news of both. */
export class GrpcExchange implements ExchangeOwner, Exit, ByteRoom {
  readonly #exchange: UnaryExchange;
  readonly #front: Front;
  readonly #ctx: RequestContext;
  readonly #bodyTimeoutMs: number;
  readonly #bodyTimer: NodeJS.Timeout | null = null;
  readonly #house: StreamHouse;
  /** Bytes here of a message that is not whole yet. */
  #partialBytes = 0;

  /** @hot */
  constructor(exchange: UnaryExchange, house: StreamHouse) {
    this.#exchange = exchange;
    this.#house = house;
    this.#front = house.front;
    this.#bodyTimeoutMs = house.limits.bodyTimeoutMs;
    this.#ctx = house.front.open(new GrpcHead(exchange, -1, exchange.timeoutMs), this);
    if (!this.#ctx.awaitsBody) return;
    this.#bodyTimer = setTimeout(tooSlow, this.#hasOwnGrant() ? exchange.timeoutMs : this.#bodyTimeoutMs, this);
    exchange.limit(this.#ctx.bodyLimitBytes, this);
    exchange.read();
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

  slow(): void {
    if (this.#hasOwnGrant()) this.#fail(Fault.DeadlineOver, 'The message was still on its way.');
    else this.#fail(Fault.BodyTimeout, `Expected the whole message within ${this.#bodyTimeoutMs} ms.`);
  }

  /** The client grants less time for everything than it would get for its message alone. */
  #hasOwnGrant(): boolean {
    const grantedMs = this.#exchange.timeoutMs;
    return grantedMs > 0 && grantedMs < this.#bodyTimeoutMs;
  }

  #fail(kind: FaultKind, detail: string): void {
    this.#stopReading();
    if (this.#ctx.awaitsBody) this.#front.fail(this.#ctx, kind, detail);
  }

  #stopReading(): void {
    this.#house.movePartial(this.#partialBytes, 0);
    this.#partialBytes = 0;
    if (this.#bodyTimer !== null) clearTimeout(this.#bodyTimer);
  }
}

function tooSlow(exchange: GrpcExchange): void {
  exchange.slow();
}
