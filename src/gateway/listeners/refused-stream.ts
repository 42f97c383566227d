import type { RequestContext } from '../../core/context.ts';
import type { Exit, Front, Reply } from '../../core/exchange.ts';
import type { FaultKind } from '../../core/faults.ts';
import type { StreamExchange, StreamOwner } from '../../wire/grpc/stream-exchange.ts';
import { GrpcHead } from './grpc-head.ts';

/** A stream that is not taken. It goes through the front like any refused request, so that it is logged and counted; nothing of it is read. */
export class RefusedStream implements StreamOwner, Exit {
  readonly #exchange: StreamExchange;
  readonly #front: Front;
  readonly #ctx: RequestContext;

  constructor(exchange: StreamExchange, front: Front, kind: FaultKind, detail: string) {
    this.#exchange = exchange;
    this.#front = front;
    this.#ctx = front.open(new GrpcHead(exchange, -1, exchange.timeoutMs), this);
    // The front has mostly refused it by itself, and better knows why.
    if (this.#ctx.awaitsBody) front.fail(this.#ctx, kind, detail);
  }

  send(reply: Reply): void {
    this.#exchange.end(reply.grpc, reply.message, reply.headers);
  }

  reset(): void {
    this.#exchange.cut();
  }

  left(): void {
    this.#front.gone(this.#ctx);
  }

  closed(): void {
    this.#front.closed(this.#ctx);
  }

  received(): void {}

  arriving(): void {}

  finished(): void {}

  spoiled(): void {}
}
