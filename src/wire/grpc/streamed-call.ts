import type { ChannelInterface, InterceptingListener, Metadata, StatusObject } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { ConnectionWait } from './connection-wait.ts';
import { pushbackMs } from './pushback.ts';

/** What becomes of a call whose answer is a stream. Messages as they are asked for, then `onEnd` once; never from inside the call. */
export interface StreamSink {
  onMessage(message: Buffer): void;
  /** `sent` says whether the call had been given to a connection, so that the server may know of it; `pushbackMs` as in UnarySink. */
  onEnd(status: number, details: string, sent: boolean, pushbackMs: number): void;
}

/**
 * One question and a stream of answers, of which each is read only when it is asked for: what is not read stays with the server. A status
 * other than OK comes at once, and what was not read by then is lost with it: so the package has it.
 */
export class StreamedCall implements InterceptingListener {
  readonly #sink: StreamSink;
  readonly #wait: ConnectionWait;
  readonly #call: ReturnType<ChannelInterface['createCall']>;
  #over = false;

  constructor(channel: ChannelInterface, path: string, deadline: number, sink: StreamSink) {
    this.#sink = sink;
    this.#wait = new ConnectionWait(channel);
    this.#call = channel.createCall(path, deadline, null, null, null);
  }

  begin(metadata: Metadata, question: Buffer, connectTimeoutMs: number): void {
    this.#wait.begin(connectTimeoutMs, () => this.cancel());
    this.#call.start(metadata, this);
    this.#call.sendMessageWithContext({}, question);
    this.#call.halfClose();
    this.#call.startRead();
  }

  /** Asks for the next message. */
  read(): void {
    if (!this.#over) this.#call.startRead();
  }

  /** Idempotent. The sink hears Cancelled, unless the end is on the way already. */
  cancel(): void {
    if (!this.#over) this.#call.cancelWithStatus(GrpcStatus.Cancelled, 'Cancelled by its caller.');
  }

  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    if (!this.#over) this.#sink.onMessage(message);
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#over) return;
    this.#over = true;
    const wait = this.#wait;
    wait.end();
    if (wait.gaveUpMs > 0) this.#sink.onEnd(GrpcStatus.Unavailable, `No connection within ${wait.gaveUpMs} ms.`, false, 0);
    else this.#sink.onEnd(status.code, status.details, wait.wasSent, pushbackMs(status.metadata, Date.now()));
  }
}
