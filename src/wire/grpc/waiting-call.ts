import { type ChannelInterface, type ClientUnaryCall, connectivityState, type ServiceError } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';

/** What becomes of a unary call. Exactly one of the two, once, never from inside the call that began it. */
export interface UnarySink {
  /** The one message of an answer with status OK. */
  onAnswer(message: Buffer): void;
  /** Any other end. `sent` says whether the call had been given to a connection, so that the server may know of it. */
  onStatus(status: number, details: string, sent: boolean): void;
}

export interface UnaryCall {
  /** Idempotent. The sink hears Cancelled, unless its end is on the way already. */
  cancel(): void;
}

/** One call on its way. While a connection is being made the package lets calls wait for as long as their deadline; this one waits less. */
export class WaitingCall implements UnaryCall {
  readonly #channel: ChannelInterface;
  readonly #sink: UnarySink;
  readonly #waits: boolean;
  #call: ClientUnaryCall | null = null;
  #timer: NodeJS.Timeout | null = null;
  #waitedMs = 0;

  constructor(channel: ChannelInterface, sink: UnarySink) {
    this.#channel = channel;
    this.#sink = sink;
    this.#waits = channel.getConnectivityState(true) !== connectivityState.READY;
  }

  begin(call: ClientUnaryCall, connectTimeoutMs: number): void {
    this.#call = call;
    if (this.#waits) this.#timer = setTimeout(giveUp, connectTimeoutMs, this, connectTimeoutMs);
  }

  cancel(): void {
    this.#call?.cancel();
  }

  /** Ends the call as unreachable if it still has no connection: calls wait in the connecting state and in no other. */
  giveUpWaiting(waitedMs: number): void {
    if (this.#channel.getConnectivityState(false) !== connectivityState.CONNECTING) return;
    this.#waitedMs = waitedMs;
    this.cancel();
  }

  end(error: ServiceError | null, answer: Buffer | undefined): void {
    this.#call = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (error === null) this.#sink.onAnswer(answer!);
    else if (this.#waitedMs > 0) this.#sink.onStatus(GrpcStatus.Unavailable, `No connection within ${this.#waitedMs} ms.`, false);
    else this.#sink.onStatus(error.code, error.details, this.#wasSent());
  }

  #wasSent(): boolean {
    return !this.#waits || this.#channel.getConnectivityState(false) === connectivityState.READY;
  }
}

function giveUp(call: WaitingCall, waitedMs: number): void {
  call.giveUpWaiting(waitedMs);
}
