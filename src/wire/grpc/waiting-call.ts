import type { ChannelInterface, ClientUnaryCall, ServiceError } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { ConnectionWait } from './connection-wait.ts';
import { pushbackMs } from './pushback.ts';

/** What becomes of a unary call. Exactly one of the two, once, never from inside the call that began it. */
export interface UnarySink {
  /** The one message of an answer with status OK. */
  onAnswer(message: Buffer): void;
  /**
   * Any other end. `sent` says whether the call had been given to a connection, so that the server may know of it. `pushbackMs` is how long
   * the server asks to wait before the next try: 0 when it says nothing, NO_RETRY when there should be none.
   */
  onStatus(status: number, details: string, sent: boolean, pushbackMs: number): void;
}

export interface UnaryCall {
  /** Idempotent. The sink hears Cancelled, unless its end is on the way already. */
  cancel(): void;
}

/** One unary call on its way. */
export class WaitingCall implements UnaryCall {
  readonly #sink: UnarySink;
  readonly #wait: ConnectionWait;
  #call: ClientUnaryCall | null = null;

  constructor(channel: ChannelInterface, sink: UnarySink) {
    this.#sink = sink;
    this.#wait = new ConnectionWait(channel);
  }

  begin(call: ClientUnaryCall, connectTimeoutMs: number): void {
    this.#call = call;
    this.#wait.begin(connectTimeoutMs, () => this.cancel());
  }

  cancel(): void {
    this.#call?.cancel();
  }

  end(error: ServiceError | null, answer: Buffer | undefined): void {
    const wait = this.#wait;
    this.#call = null;
    wait.end();
    if (error === null) this.#sink.onAnswer(answer!);
    else if (wait.gaveUpMs > 0)
      this.#sink.onStatus(GrpcStatus.Unavailable, `No connection within ${wait.gaveUpMs} ms.`, false, 0);
    else this.#sink.onStatus(error.code, error.details, wait.wasSent, pushbackMs(error.metadata, Date.now()));
  }
}
