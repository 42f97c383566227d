import { GrpcStatus } from '../../../core/grpc-status.ts';
import type { UnaryCall, UnarySink } from '../../grpc/waiting-call.ts';
import { H2Error } from '../h2-error.ts';
import type { CallHead } from './call-heads.ts';
import { type CallHome, H2Call } from './h2-call.ts';

/** A call with one message each way. */
export class UnaryH2Call extends H2Call implements UnaryCall {
  readonly #sink: UnarySink;
  #answer: Buffer | null = null;

  constructor(home: CallHome, head: CallHead, pieces: readonly Uint8Array[], deadlineMs: number, sink: UnarySink) {
    super(home, head, pieces, deadlineMs);
    this.#sink = sink;
  }

  protected take(message: Buffer): void {
    if (this.#answer === null) this.#answer = message;
    else this.end(GrpcStatus.Unimplemented, 'Too many responses received', true, 0, H2Error.Cancel);
  }

  protected finish(): void {
    if (this.#answer === null) {
      this.end(GrpcStatus.Unimplemented, 'No message received', true, 0, H2Error.Cancel);
      return;
    }
    this.leave(H2Error.Cancel);
    this.#sink.onAnswer(this.#answer);
  }

  protected tell(status: number, details: string, sent: boolean, pushbackMs: number): void {
    this.#answer = null;
    this.#sink.onStatus(status, details, sent, pushbackMs);
  }

  protected heldBytes(): number {
    return 0;
  }
}
