import type { Call, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { grpcStatusName } from '../../core/grpc-status.ts';
import type { UnaryCall, UnarySink } from '../../wire/grpc/waiting-call.ts';
import { decodeInferResponse } from '../../wire/oip/infer-response.ts';
import { faultOfStatus, isOversizedAnswer, quotedText } from './status-fault.ts';

/** Who began a call and wants to know when it is over. */
export interface CallOwner {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly target: string;
  ended(call: GrpcCall): void;
}

/** One prediction on its way: turns the end of a gRPC call into what the sink of a backend hears. */
export class GrpcCall implements Call, UnarySink {
  readonly #owner: CallOwner;
  readonly #sink: CallSink;
  readonly #startedUs: number;
  #unary: UnaryCall | null = null;
  #cancelled = false;
  readonly endpoint: string;

  constructor(owner: CallOwner, sink: CallSink) {
    this.#owner = owner;
    this.endpoint = owner.target;
    this.#sink = sink;
    this.#startedUs = owner.clock.nowUs();
  }

  begin(unary: UnaryCall): void {
    this.#unary = unary;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#unary?.cancel();
  }

  /** A unary call has one answer. */
  resume(): void {}

  onAnswer(message: Buffer): void {
    if (this.#cancelled) {
      this.#fault(Fault.ClientGone, '', true);
      return;
    }
    const answer = decodeInferResponse(message);
    if (typeof answer === 'string') {
      this.#fault(Fault.BackendLied, quotedText(answer), true);
      return;
    }
    this.#unary = null;
    this.#sink.onPrediction({ outputs: answer.outputs, computeUs: this.#owner.clock.nowUs() - this.#startedUs });
    this.#sink.onEnd();
    this.#end();
  }

  onStatus(status: number, details: string, sent: boolean): void {
    if (this.#cancelled) {
      this.#fault(Fault.ClientGone, '', sent);
      return;
    }
    if (isOversizedAnswer(status, details, this.#owner.maxMessageBytes)) {
      this.#fault(Fault.BackendFailed, `Its answer is larger than ${this.#owner.maxMessageBytes} bytes.`, true);
      return;
    }
    const kind = faultOfStatus(status);
    if (kind === Fault.BackendRefused) this.#fault(kind, quotedText(details), true);
    // No byte of an answer has come, and asking a model twice does no harm: so this counts as not reached.
    else if (kind === Fault.BackendUnreachable) this.#fault(kind, '', false);
    else if (kind === Fault.BackendFailed) this.#fault(kind, `It answered with ${grpcStatusName(status)}.`, sent);
    else this.#fault(kind, '', sent);
  }

  #fault(kind: FaultKind, detail: string, reached: boolean): void {
    this.#unary = null;
    this.#sink.onFault(kind, detail, reached, 0);
    this.#end();
  }

  #end(): void {
    this.#owner.ended(this);
    this.#sink.onClosed();
  }
}
