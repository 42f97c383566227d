import type { Call, CallOptions, CallSink } from '../core/backend.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import { CallOutcome } from '../core/gate.ts';
import type { InferenceRequest, Prediction } from '../core/inference.ts';
import type { ShadowOutcome } from '../core/observer.ts';
import type { Variant } from '../core/traffic.ts';
import type { Millis } from '../core/units.ts';
import { argmaxAgreement } from './agreement.ts';

/** What a copy tells whoever keeps it. */
export interface CopyKeeper {
  /** Once for each copy. */
  judged(copy: ShadowCopy, outcome: ShadowOutcome): void;
  /** The backend has stopped. Once for each copy that began, after `judged`. */
  closed(copy: ShadowCopy): void;
}

/** What a shadow is asked and what it is compared with. */
export interface ShadowWork {
  readonly model: string;
  readonly request: InferenceRequest;
  readonly primary: Prediction;
  readonly traceparent: string;
  readonly requestId: string;
  readonly sizeBytes: number;
  /** The copy is dropped when it has not begun, and cancelled when it has not ended by then. */
  readonly deadlineMs: Millis;
}

/** One request on its way to one shadow. Holds views on the request's bytes, no bytes of its own. */
export class ShadowCopy implements CallSink {
  readonly work: ShadowWork;
  readonly variant: Variant;
  /** The copy behind this one in the queue. */
  next: ShadowCopy | null = null;
  readonly #keeper: CopyKeeper;
  #call: Call | null = null;
  #timer: NodeJS.Timeout | null = null;
  #state: 'waiting' | 'running' | 'judged' | 'closed' = 'waiting';
  /** Why this side cancelled, if it did: a timeout is the shadow's failure, a shutdown is nobody's. */
  #cancelled: 'not' | 'late' | 'shutdown' = 'not';

  constructor(keeper: CopyKeeper, work: ShadowWork, variant: Variant) {
    this.#keeper = keeper;
    this.work = work;
    this.variant = variant;
  }

  /** Asks the shadow. False when it was not asked at all; then this copy is over. */
  begin(nowMs: Millis): boolean {
    const timeoutMs = this.work.deadlineMs - nowMs;
    if (timeoutMs <= 0) return this.#notAsked('dropped');
    const { state, gate } = this.variant;
    const isReady = state.readiness.is === 'ready';
    state.attempts++;
    if (!isReady || !gate.enterSpare()) {
      if (!isReady) this.#blame(Fault.NoVariant);
      return this.#notAsked(isReady ? 'dropped' : 'failed');
    }
    this.#state = 'running';
    this.#timer = setTimeout(cancelLate, timeoutMs, this);
    this.#timer.unref();
    const { request, traceparent, requestId } = this.work;
    // The notes of others go with the request itself; a copy is found by its trace.
    const options: CallOptions = { timeoutMs, traceparent, tracestate: '', requestId, affinity: 0, avoid: '' };
    try {
      this.#call = this.variant.backend.open(request, options, this);
    } catch {
      // `open` never throws, and if it does all the same, it must not be the request that was copied which fails.
      this.onFault(Fault.Bug, '', false);
      this.onClosed();
    }
    return true;
  }

  /** For shutdown: ends the call and blames nobody. */
  cancel(): void {
    this.#end('shutdown');
  }

  /** The deadline has passed. */
  cancelLate(): void {
    this.#end('late');
  }

  onPrediction(prediction: Prediction): boolean {
    if (this.#state === 'running') this.#judge(argmaxAgreement(this.work.primary.outputs, prediction.outputs));
    return true;
  }

  onEnd(): void {}

  onFault(kind: FaultKind, _detail: string, _reached: boolean): void {
    if (this.#state !== 'running') return;
    if (this.#cancelled === 'shutdown') {
      this.#judge('dropped');
      return;
    }
    this.#blame(this.#cancelled === 'late' ? Fault.BackendTimeout : kind);
    this.#judge('failed');
  }

  onClosed(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'running') this.onFault(Fault.Bug, '', true);
    this.#state = 'closed';
    if (this.#timer !== null) clearTimeout(this.#timer);
    // A shadow's own copies are bounded by their number; its latency teaches its gate nothing that callers would gain from.
    this.variant.gate.leave(CallOutcome.Other, 0);
    this.#keeper.closed(this);
  }

  #notAsked(outcome: ShadowOutcome): boolean {
    this.#state = 'closed';
    this.#keeper.judged(this, outcome);
    return false;
  }

  #end(reason: 'late' | 'shutdown'): void {
    if (this.#state !== 'running') return;
    this.#cancelled = reason;
    this.#call?.cancel();
  }

  #judge(outcome: ShadowOutcome): void {
    this.#state = 'judged';
    this.#keeper.judged(this, outcome);
  }

  #blame(kind: FaultKind): void {
    this.variant.state.failures++;
    this.variant.state.lastFault = kind.code;
  }
}

function cancelLate(copy: ShadowCopy): void {
  copy.cancelLate();
}
