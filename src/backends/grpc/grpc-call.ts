import type { Call, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Rostered } from '../../core/roster.ts';
import type { UnaryCall, UnarySink } from '../../wire/grpc/waiting-call.ts';
import { decodeInferResponse } from '../../wire/oip/infer-response.ts';
import { endOf, quotedText } from './status-fault.ts';

/** Who began a call and wants to know when it is over. */
export interface CallOwner {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly target: string;
  ended(call: Call & Rostered): void;
}

/** One prediction on its way: turns the end of a gRPC call into what the sink of a backend hears. */
export class GrpcCall implements Call, Rostered, UnarySink {
  rosterAt = -1;
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

  /** Ends a call that was never sent; the sink hears of it later. */
  refuse(kind: FaultKind, detail: string): void {
    process.nextTick(endRefused, this, kind, detail);
  }

  endRefused(kind: FaultKind, detail: string): void {
    if (this.#cancelled) this.#fault(Fault.ClientGone, '', false);
    else this.#fault(kind, detail, false);
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

  onStatus(status: number, details: string, sent: boolean, pushbackMs: number): void {
    if (this.#cancelled) {
      this.#fault(Fault.ClientGone, '', sent);
      return;
    }
    const end = endOf({ status, details, sent, pushbackMs }, this.#owner.maxMessageBytes);
    this.#fault(end.kind, end.detail, end.reached, end.retryAfterMs);
  }

  #fault(kind: FaultKind, detail: string, reached: boolean, retryAfterMs = 0): void {
    this.#unary = null;
    this.#sink.onFault(kind, detail, reached, retryAfterMs);
    this.#end();
  }

  #end(): void {
    this.#owner.ended(this);
    this.#sink.onClosed();
  }
}

function endRefused(call: GrpcCall, kind: FaultKind, detail: string): void {
  call.endRefused(kind, detail);
}
