import type { Call, CallSink } from '../../core/backend.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';
import type { Rostered } from '../../core/roster.ts';
import type { StreamAnswers } from '../../wire/grpc/grpc-channel.ts';
import type { StreamSink } from '../../wire/grpc/streamed-call.ts';
import { decodeStreamAnswer } from '../../wire/oip/stream-messages.ts';
import type { CallOwner } from './grpc-call.ts';
import { endOf, quotedText } from './status-fault.ts';

/** One request to a decoupled model: a ModelStreamInfer of its own, whose answers are read one by one as they are asked for. */
export class DecoupledCall implements Call, Rostered, StreamSink {
  rosterAt = -1;
  readonly endpoint: string;
  readonly #owner: CallOwner;
  readonly #sink: CallSink;
  readonly #startedUs: number;
  #answers: StreamAnswers | null = null;
  #cancelled = false;
  /** The sink has heard the end; the stream itself may still be open. */
  #told = false;

  constructor(owner: CallOwner, sink: CallSink) {
    this.endpoint = owner.target;
    this.#owner = owner;
    this.#sink = sink;
    this.#startedUs = owner.clock.nowUs();
  }

  begin(answers: StreamAnswers): void {
    this.#answers = answers;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#answers?.cancel();
  }

  resume(): void {
    this.#answers?.read();
  }

  onMessage(message: Buffer): void {
    if (this.#cancelled || this.#told) return;
    const answer = decodeStreamAnswer(message);
    if (answer.problem !== '') {
      this.#break(Fault.BackendLied, answer.problem);
      return;
    }
    if (answer.error !== '') {
      this.#break(Fault.BackendFailed, `It says: ${quotedText(answer.error)}`);
      return;
    }
    // An answer without outputs only marks the end, and the end of the stream says the same.
    if (answer.outputs.length === 0) {
      this.#answers?.read();
      return;
    }
    const computeUs = this.#owner.clock.nowUs() - this.#startedUs;
    if (this.#sink.onPrediction({ outputs: answer.outputs, computeUs })) this.#answers?.read();
  }

  onEnd(status: number, details: string, sent: boolean, pushbackMs: number): void {
    this.#answers = null;
    if (!this.#told) {
      this.#told = true;
      if (this.#cancelled) this.#sink.onFault(Fault.ClientGone, '', sent, 0);
      else if (status === GrpcStatus.Ok) this.#sink.onEnd();
      else {
        const end = endOf({ status, details, sent, pushbackMs }, this.#owner.maxMessageBytes);
        this.#sink.onFault(end.kind, end.detail, end.reached, end.retryAfterMs);
      }
    }
    this.#owner.ended(this);
    this.#sink.onClosed();
  }

  /** Nothing after this is listened to; the call closes once the server has let go. */
  #break(kind: FaultKind, detail: string): void {
    this.#told = true;
    this.#sink.onFault(kind, quotedText(detail), true, 0);
    this.#answers?.cancel();
  }
}
