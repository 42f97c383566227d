import type { StreamSink } from '../../src/wire/grpc/streamed-call.ts';
import type { UnarySink } from '../../src/wire/grpc/waiting-call.ts';

/** Sinks of a gRPC channel that write down what they hear. */

export class Ending implements UnarySink {
  readonly ended: Promise<Ending>;
  ends = 0;
  message: Buffer | null = null;
  status = -1;
  details = '';
  sent: boolean | null = null;
  pushbackMs = 0;
  #end: (self: Ending) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onAnswer(message: Buffer): void {
    this.ends++;
    this.message = message;
    this.#end(this);
  }

  onStatus(status: number, details: string, sent: boolean, pushbackMs: number): void {
    this.ends++;
    this.status = status;
    this.details = details;
    this.sent = sent;
    this.pushbackMs = pushbackMs;
    this.#end(this);
  }
}

export class Listening implements StreamSink {
  readonly ended: Promise<Listening>;
  readonly messages: Buffer[] = [];
  ends = 0;
  status = -1;
  details = '';
  sent: boolean | null = null;
  pushbackMs = 0;
  /** Called after each message. */
  onEach: (message: Buffer) => void = () => undefined;
  #end: (self: Listening) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onMessage(message: Buffer): void {
    this.messages.push(message);
    this.onEach(message);
  }

  onEnd(status: number, details: string, sent: boolean, pushbackMs: number): void {
    this.ends++;
    this.status = status;
    this.details = details;
    this.sent = sent;
    this.pushbackMs = pushbackMs;
    this.#end(this);
  }
}
