import type { Reply } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { StreamExchange, StreamOwner } from '../../wire/grpc/stream-exchange.ts';
import { encodeHealthStatus, readHealthStatus, ServingStatus } from '../../wire/oip/health-messages.ts';
import { GrpcHead } from './grpc-head.ts';
import type { HealthWatches } from './health-watches.ts';
import { type MessageOwner, StreamMessage } from './stream-message.ts';

const MAX_QUESTION_BYTES = 4_096;

const NO_FIELDS: readonly string[] = [];

/** One call of Watch: its first answer comes from the front like any other, and each change after it from here. */
export class HealthWatch implements StreamOwner, MessageOwner {
  readonly #exchange: StreamExchange;
  readonly #watches: HealthWatches;
  readonly #timer: NodeJS.Timeout;
  #question: StreamMessage | null = null;
  /** What the client was told last, and what it should know; Unknown before its first answer. */
  #told: number = ServingStatus.Unknown;
  #wanted: ServingStatus = ServingStatus.Unknown;
  #writing = false;
  #ending = false;

  constructor(exchange: StreamExchange, watches: HealthWatches, bodyTimeoutMs: number) {
    this.#exchange = exchange;
    this.#watches = watches;
    this.#timer = setTimeout(onSlow, bodyTimeoutMs, this);
    watches.add(this);
    exchange.open();
    exchange.read();
  }

  received(message: Buffer): void {
    clearTimeout(this.#timer);
    if (this.#question !== null) {
      this.#end(GrpcStatus.InvalidArgument, 'A second message came, expected one.');
      return;
    }
    const head = new GrpcHead(this.#exchange, message.length, 0);
    this.#question = new StreamMessage(this, this.#watches.front, head, message);
    this.#question.begin();
    // Watching goes on when the client has said all it has to say; a second message would break the rules.
    this.#exchange.read();
  }

  finished(): void {
    if (this.#question === null) this.#end(GrpcStatus.InvalidArgument, 'No message came, expected one.');
  }

  /** Anyone may ask, so nobody may send more than a question is long. */
  arriving(bytes: number): void {
    if (bytes > MAX_QUESTION_BYTES) this.#end(GrpcStatus.ResourceExhausted, Fault.BodyTooLarge.message);
  }

  spoiled(): void {
    this.#question?.gone();
  }

  left(): void {
    this.#question?.gone();
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
    this.#watches.remove(this);
    this.#question?.close();
  }

  reply(question: StreamMessage, reply: Reply): void {
    if (reply.grpc !== GrpcStatus.Ok) {
      this.#exchange.end(reply.grpc, reply.message, reply.headers);
      return;
    }
    this.#told = readHealthStatus(reply.pieces[0]!);
    this.#writing = true;
    this.#exchange.write(reply.pieces, () => {
      // The request is answered; what follows is news.
      question.close();
      this.#written();
    });
  }

  reset(): void {
    this.#exchange.cut();
  }

  /** Tells the client what has changed, once it has taken what it was told before. */
  update(status: ServingStatus): void {
    this.#wanted = status;
    if (this.#writing || this.#told === ServingStatus.Unknown || this.#told === ServingStatus.ServiceUnknown) return;
    if (this.#told === status || this.#ending) return;
    this.#told = status;
    this.#writing = true;
    this.#exchange.write([encodeHealthStatus(status)], () => this.#written());
  }

  drain(): void {
    this.update(ServingStatus.NotServing);
    this.#end(GrpcStatus.Unavailable, Fault.Draining.message);
  }

  slow(): void {
    this.#end(GrpcStatus.DeadlineExceeded, 'No message came in time, expected one.');
  }

  #written(): void {
    this.#writing = false;
    if (this.#wanted !== ServingStatus.Unknown) this.update(this.#wanted);
  }

  #end(status: number, message: string): void {
    this.#ending = true;
    this.#exchange.end(status, message, NO_FIELDS);
  }
}

function onSlow(watch: HealthWatch): void {
  watch.slow();
}
