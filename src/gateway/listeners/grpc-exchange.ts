import type { RequestContext } from '../../core/context.ts';
import type { Exit, Front, Reply } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { ExchangeOwner, UnaryExchange } from '../../wire/grpc/unary-exchange.ts';
import { GrpcHead } from './grpc-head.ts';
import { spoiledBy } from './grpc-spoiled.ts';

/** One gRPC call between the wire and the front: its head, its way out, and the news of both. */
export class GrpcExchange implements ExchangeOwner, Exit {
  readonly #exchange: UnaryExchange;
  readonly #front: Front;
  readonly #ctx: RequestContext;
  readonly #bodyTimeoutMs: number;
  readonly #bodyTimer: NodeJS.Timeout | null = null;

  /** @hot */
  constructor(exchange: UnaryExchange, front: Front, bodyTimeoutMs: number, maxBodyBytes: number) {
    this.#exchange = exchange;
    this.#front = front;
    this.#bodyTimeoutMs = bodyTimeoutMs;
    this.#ctx = front.open(new GrpcHead(exchange, -1, exchange.timeoutMs), this);
    if (!this.#ctx.awaitsBody) return;
    this.#bodyTimer = setTimeout(tooSlow, this.#hasOwnGrant() ? exchange.timeoutMs : bodyTimeoutMs, this);
    if (this.#ctx.bodyLimitBytes < maxBodyBytes) exchange.limit(this.#ctx.bodyLimitBytes);
    exchange.read();
  }

  send(reply: Reply): void {
    if (reply.grpc === GrpcStatus.Ok) this.#exchange.answer(reply.headers, reply.pieces);
    else this.#exchange.refuse(reply.grpc, reply.message, reply.headers);
  }

  reset(): void {
    this.#exchange.cut();
  }

  received(message: Buffer): void {
    this.#stopTimer();
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
    this.#stopTimer();
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
    this.#stopTimer();
    if (this.#ctx.awaitsBody) this.#front.fail(this.#ctx, kind, detail);
  }

  #stopTimer(): void {
    if (this.#bodyTimer !== null) clearTimeout(this.#bodyTimer);
  }
}

function tooSlow(exchange: GrpcExchange): void {
  exchange.slow();
}
