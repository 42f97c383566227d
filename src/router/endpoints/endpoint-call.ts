import type { Call, CallSink } from '../../core/backend.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { InferenceRequest, Prediction } from '../../core/inference.ts';
import type { Endpoint } from './endpoint.ts';

/** Who counts what calls come to. */
export interface CallJudge {
  nowUs(): number;
  /** Least time without an answer that is held against an endpoint: a caller that grants less says nothing about it. */
  readonly patienceMs: number;
  /** Why an answer does not fit its request or the model; empty when it does. */
  lie(request: InferenceRequest, prediction: Prediction): string;
  succeeded(endpoint: Endpoint, epoch: number): void;
  failed(endpoint: Endpoint, epoch: number, unreached: boolean): void;
  passed(endpoint: Endpoint, epoch: number): void;
  closed(endpoint: Endpoint): void;
}

/** Timers and clocks of two layers end the same call; they are this far apart at most. */
const TIMER_SLACK_MS = 5;

/** One call at one endpoint, between its backend and who began it: what it hears goes on as it is, and is counted. */
export class EndpointCall implements Call, CallSink {
  readonly endpoint: string;
  readonly #judge: CallJudge;
  readonly #at: Endpoint;
  readonly #epoch: number;
  readonly #request: InferenceRequest;
  readonly #timeoutMs: number;
  readonly #sink: CallSink;
  readonly #startedUs: number;
  #call: Call | null = null;
  #answered = false;
  #lied = false;
  /** What it came to has been counted. */
  #judged = false;

  constructor(judge: CallJudge, at: Endpoint, request: InferenceRequest, timeoutMs: number, sink: CallSink) {
    this.endpoint = at.label;
    this.#judge = judge;
    this.#at = at;
    this.#epoch = at.epoch;
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#sink = sink;
    this.#startedUs = judge.nowUs();
  }

  begin(call: Call): void {
    this.#call = call;
  }

  /** Counted here and not when the backend says so, since nobody waits any longer for a call on trial. @hot */
  cancel(): void {
    if (!this.#judged) {
      const isOver = this.#elapsedMs() >= this.#timeoutMs - TIMER_SLACK_MS;
      // Whoever keeps the request's deadline cancels a moment before the backend finds out by itself.
      // Whoever finds a lie cancels the call.
      if (this.#lied) this.#failed(false);
      else if (isOver && !this.#answered) this.#timedOut();
      else this.#passed();
    }
    this.#call!.cancel();
  }

  resume(): void {
    this.#call!.resume();
  }

  /** @hot */
  onPrediction(prediction: Prediction): boolean {
    if (!this.#answered) {
      this.#answered = true;
      const nowUs = this.#judge.nowUs();
      this.#at.latency.observe(nowUs - this.#startedUs, nowUs / 1000);
    }
    if (!this.#lied && this.#judge.lie(this.#request, prediction) !== '') this.#lied = true;
    return this.#sink.onPrediction(prediction);
  }

  /** @hot */
  onEnd(): void {
    if (!this.#judged) {
      this.#judged = true;
      if (this.#lied) this.#judge.failed(this.#at, this.#epoch, false);
      else this.#judge.succeeded(this.#at, this.#epoch);
    }
    this.#sink.onEnd();
  }

  onFault(kind: FaultKind, detail: string, reached: boolean, retryAfterMs: number): void {
    if (!this.#judged) {
      if (kind === Fault.BackendTimeout) this.#timedOut();
      else if (kind === Fault.BackendFailed || kind === Fault.BackendLied || kind === Fault.BackendUnreachable) {
        this.#failed(!reached);
      } else this.#passed();
    }
    this.#sink.onFault(kind, detail, reached, retryAfterMs);
  }

  onClosed(): void {
    this.#judge.closed(this.#at);
    this.#sink.onClosed();
  }

  #elapsedMs(): number {
    return (this.#judge.nowUs() - this.#startedUs) / 1000;
  }

  #timedOut(): void {
    if (this.#elapsedMs() >= this.#judge.patienceMs) this.#failed(false);
    else this.#passed();
  }

  #failed(unreached: boolean): void {
    this.#judged = true;
    this.#raiseLatency();
    this.#judge.failed(this.#at, this.#epoch, unreached);
  }

  #passed(): void {
    this.#judged = true;
    this.#raiseLatency();
    this.#judge.passed(this.#at, this.#epoch);
  }

  #raiseLatency(): void {
    const nowUs = this.#judge.nowUs();
    if (!this.#answered) this.#at.latency.raise(nowUs - this.#startedUs, nowUs / 1000);
  }
}
