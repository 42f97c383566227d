import type { RequestContext } from '../../core/context.ts';
import type { Exit, Reply } from '../../core/exchange.ts';
import { Fault, type FaultKind, publicMessage } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { StreamExchange, StreamOwner } from '../../wire/grpc/stream-exchange.ts';
import { GrpcHead, MessageHead } from './grpc-head.ts';
import { spoiledBy } from './grpc-spoiled.ts';
import type { StreamFraming } from './stream-framing.ts';
import type { Drainable, StreamHouse } from './stream-house.ts';
import { PartedMessage, type PartOwner, type StreamMessage } from './stream-message.ts';

/** How a stream ends once nothing is in flight. */
interface StreamEnd {
  readonly status: number;
  readonly message: string;
  readonly headers: readonly string[];
}

const NO_FIELDS: readonly string[] = [];
const DONE: StreamEnd = { status: GrpcStatus.Ok, message: '', headers: NO_FIELDS };

/** A stream that is to end waits so long for messages that were sent before its client can have heard of it. */
const QUIET_MS = 200;

/**
 * A bidirectional call: each message is a request of its own, and answers leave as they are found. The stream owns the connection alone:
 * how much is in flight on it, how long it may be silent, and how it ends.
 */
export class GrpcStream implements StreamOwner, PartOwner, Drainable {
  readonly #exchange: StreamExchange;
  readonly #house: StreamHouse;
  readonly #framing: StreamFraming;
  readonly #inFlight = new Set<StreamMessage>();
  readonly #deadlineMs: number;
  readonly #deadlineTimer: NodeJS.Timeout | null;
  #idleTimer: NodeJS.Timeout | null = null;
  #bodyTimer: NodeJS.Timeout | null = null;
  #messages = 0;
  #partialBytes = 0;
  #reading = false;
  #pumping = false;
  #draining = false;
  /** Set when nothing more is taken from the client. */
  #end: StreamEnd | null = null;
  /** The call has its status, or the client is gone. */
  #over = false;
  /** A message that could not be had, as the refused request that it is. */
  #lost: RequestContext | null = null;

  constructor(exchange: StreamExchange, house: StreamHouse, framing: StreamFraming) {
    this.#exchange = exchange;
    this.#house = house;
    this.#framing = framing;
    const { timeoutMs } = exchange;
    this.#deadlineMs = timeoutMs === 0 ? 0 : performance.now() + timeoutMs;
    this.#deadlineTimer = timeoutMs === 0 ? null : setTimeout(onDeadline, timeoutMs, this);
    house.add(this);
    exchange.open();
    this.#pump();
    this.#watch();
  }

  received(message: Buffer): void {
    this.#reading = false;
    this.#stopBodyTimer();
    if (this.#end !== null || this.#over) return;
    const head = new MessageHead(this.#exchange, message.length, this.#leftMs(), ++this.#messages);
    const request = new PartedMessage(this, this.#house.front, head, message);
    this.#inFlight.add(request);
    request.begin();
    this.#pump();
    this.#watch();
  }

  arriving(bytes: number, isNew: boolean): void {
    if (this.#over) return;
    if (!this.#house.movePartial(this.#partialBytes, bytes)) {
      this.#lose(Fault.Overloaded, 'Too many bytes are on their way over streams.');
      return;
    }
    this.#partialBytes = bytes;
    if (isNew) this.#stopBodyTimer();
    this.#startBodyTimer();
  }

  finished(): void {
    this.#reading = false;
    this.#finish(DONE);
  }

  spoiled(status: number, text: string): void {
    this.#over = true;
    this.#lose(spoiledBy(status), text);
    this.#abandon();
  }

  left(): void {
    this.#over = true;
    this.#abandon();
  }

  closed(): void {
    this.#over = true;
    this.#stopTimers();
    this.#house.movePartial(this.#partialBytes, 0);
    this.#house.remove(this);
    if (this.#lost !== null) this.#house.front.closed(this.#lost);
    for (const request of this.#inFlight) request.close();
    this.#inFlight.clear();
  }

  reply(request: StreamMessage, reply: Reply): void {
    if (this.#over) return;
    const pieces =
      reply.grpc === GrpcStatus.Ok
        ? this.#framing.answer(request.bytes, reply)
        : this.#framing.refusal(request.bytes, reply, request.head);
    if (pieces === null) this.#breakOff({ status: reply.grpc, message: reply.message, headers: reply.headers });
    else this.#exchange.write(pieces, () => this.#handedOver(request));
  }

  part(request: StreamMessage, reply: Reply, taken: () => void): void {
    if (!this.#over) this.#exchange.write(this.#framing.part(request.bytes, reply), taken);
  }

  end(request: StreamMessage, reply: Reply): void {
    if (reply.grpc !== GrpcStatus.Ok) {
      this.reply(request, reply);
      return;
    }
    if (this.#over) return;
    const pieces = this.#framing.final(request.bytes, reply);
    if (pieces === null) this.#handedOver(request);
    else this.#exchange.write(pieces, () => this.#handedOver(request));
  }

  reset(): void {
    if (!this.#over) this.#exchange.cut();
  }

  drain(): void {
    this.#draining = true;
    this.#watch();
  }

  /** The client's own deadline for the whole call. Its requests have it too, so they end by themselves. */
  deadlineOver(): void {
    this.#finish({ status: GrpcStatus.DeadlineExceeded, message: Fault.DeadlineOver.message, headers: NO_FIELDS });
  }

  idle(): void {
    const message = this.#draining
      ? Fault.Draining.message
      : `No message came for ${this.#house.limits.idleMs} ms; open a new stream for the next.`;
    this.#finish({ status: GrpcStatus.Unavailable, message, headers: NO_FIELDS });
  }

  slow(): void {
    this.#lose(Fault.BodyTimeout, `Expected the whole message within ${this.#house.limits.bodyTimeoutMs} ms.`);
  }

  #handedOver(request: StreamMessage): void {
    // Behind the end of the stream, `closed` has done all this.
    if (!this.#inFlight.delete(request)) return;
    request.close();
    if (this.#end !== null) this.#finish(this.#end);
    this.#pump();
    this.#watch();
  }

  /** Reads while there is room. A message that is here already comes from inside `read`: a loop, so that many of them do not nest. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#reading && this.#hasRoom()) {
      this.#reading = true;
      this.#exchange.read();
    }
    this.#pumping = false;
    this.#startBodyTimer();
  }

  #hasRoom(): boolean {
    return this.#end === null && !this.#over && this.#inFlight.size < this.#house.limits.maxInFlight;
  }

  /** Takes nothing more, and ends the call when the last answer has left. */
  #finish(end: StreamEnd): void {
    this.#end ??= end;
    if (this.#over) return;
    if (this.#inFlight.size > 0) {
      // What the client goes on sending would be kept and never looked at.
      this.#exchange.hold();
      return;
    }
    this.#over = true;
    this.#stopTimers();
    this.#exchange.end(this.#end.status, this.#end.message, this.#end.headers);
  }

  /** Ends the call now, and with it all that is in flight. */
  #breakOff(end: StreamEnd): void {
    this.#over = true;
    this.#stopTimers();
    this.#exchange.end(end.status, end.message, end.headers);
    this.#abandon();
  }

  #abandon(): void {
    for (const request of this.#inFlight) request.gone();
  }

  /** A message that never came whole: a refused request like any other, whose reply says how the stream ends. */
  #lose(kind: FaultKind, detail: string): void {
    if (this.#lost !== null || this.#end !== null) return;
    const { front } = this.#house;
    const exit: Exit = { send: (reply) => this.#finishWith(reply), reset: () => this.reset() };
    this.#lost = front.open(new GrpcHead(this.#exchange, -1, this.#leftMs()), exit);
    if (this.#lost.awaitsBody) front.fail(this.#lost, kind, detail);
    this.#finish({ status: kind.grpc, message: publicMessage(kind, detail), headers: NO_FIELDS });
  }

  #finishWith(reply: Reply): void {
    this.#finish({ status: reply.grpc, message: reply.message, headers: reply.headers });
  }

  #leftMs(): number {
    return this.#deadlineMs === 0 ? 0 : Math.max(1, Math.ceil(this.#deadlineMs - performance.now()));
  }

  /** A stream with nothing in flight is kept for a while; while it drains, for a moment. */
  #watch(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#over || this.#end !== null || this.#inFlight.size > 0) return;
    this.#idleTimer = setTimeout(onIdle, this.#draining ? QUIET_MS : this.#house.limits.idleMs, this);
  }

  /** Runs while the rest of a message is waited for; not while the stream itself does not read. */
  #startBodyTimer(): void {
    if (this.#partialBytes === 0 || !this.#reading || this.#over) this.#stopBodyTimer();
    else this.#bodyTimer ??= setTimeout(onSlow, this.#house.limits.bodyTimeoutMs, this);
  }

  #stopBodyTimer(): void {
    if (this.#bodyTimer !== null) clearTimeout(this.#bodyTimer);
    this.#bodyTimer = null;
  }

  #stopTimers(): void {
    this.#stopBodyTimer();
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
    this.#idleTimer = null;
  }
}

function onDeadline(stream: GrpcStream): void {
  stream.deadlineOver();
}

function onIdle(stream: GrpcStream): void {
  stream.idle();
}

function onSlow(stream: GrpcStream): void {
  stream.slow();
}
