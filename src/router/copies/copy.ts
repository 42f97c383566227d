import type { Call, CallOptions, CallSink } from '../../core/backend.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { CallOutcome } from '../../core/gate.ts';
import type { Prediction } from '../../core/inference.ts';
import type { ShadowOutcome } from '../../core/observer.ts';
import type { Variant } from '../../core/traffic.ts';
import type { Millis } from '../../core/units.ts';
import type { Agreement } from '../comparison/answer-comparer.ts';
import type { SpareWork } from '../comparison/spare-turns.ts';
import type { Answered } from './answered.ts';

/** What a copy tells whoever keeps it. */
export interface CopyKeeper {
  /** It has an answer that can be compared when there is time. */
  answered(copy: Copy): void;
  /** Compares now. */
  compare(copy: Copy, prediction: Prediction, tookUs: number): Agreement;
  /** Once for each copy. */
  judged(copy: Copy, outcome: ShadowOutcome): void;
  /** The backend has stopped and nothing is left to compare. Once for each copy that began, last. */
  closed(copy: Copy): void;
  /** A mistake in the comparison. */
  lost(error: unknown): void;
  nowUs(): number;
}

/** One answered request on its way to a variant that is to answer it too. Holds views on the request's bytes, no bytes of its own. */
export class Copy implements CallSink, SpareWork {
  readonly answered: Answered;
  readonly variant: Variant;
  readonly sizeBytes: number;
  /** It is dropped when it has not begun, and cancelled when it has not ended by then. */
  readonly deadlineMs: Millis;
  /** The copy behind this one in the queue. */
  next: Copy | null = null;
  readonly #keeper: CopyKeeper;
  #call: Call | null = null;
  #timer: NodeJS.Timeout | null = null;
  #state: 'waiting' | 'running' | 'answered' | 'judged' = 'waiting';
  #hasStopped = false;
  #beganUs = 0;
  #prediction: Prediction | null = null;
  #tookUs = 0;
  /** Why this side cancelled, if it did: a timeout is the variant's failure, a shutdown is nobody's. */
  #cancelled: 'not' | 'late' | 'shutdown' = 'not';

  constructor(keeper: CopyKeeper, answered: Answered, variant: Variant, limits: CopyLimits) {
    this.#keeper = keeper;
    this.answered = answered;
    this.variant = variant;
    this.sizeBytes = limits.sizeBytes;
    this.deadlineMs = limits.deadlineMs;
  }

  /** Asks the variant. False when it was not asked at all; then this copy is over. */
  begin(nowMs: Millis): boolean {
    const timeoutMs = this.deadlineMs - nowMs;
    if (timeoutMs <= 0) return this.#notAsked('dropped');
    const { state, gate } = this.variant;
    const isReady = state.readiness.is === 'ready';
    if (this.#isShadow) state.attempts++;
    if (!isReady || !gate.enterSpare()) {
      if (!isReady) this.#blame(Fault.NoVariant);
      // A variant with traffic of its own shows by that whether it is ready.
      return this.#notAsked(!isReady && this.#isShadow ? 'failed' : 'dropped');
    }
    this.#state = 'running';
    this.#timer = setTimeout(cancelLate, timeoutMs, this);
    this.#timer.unref();
    this.#open(timeoutMs);
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
    if (this.#state === 'running') {
      this.#state = 'answered';
      this.#prediction = prediction;
      this.#tookUs = Math.max(1, this.#keeper.nowUs() - this.#beganUs);
      this.#keeper.answered(this);
    }
    return true;
  }

  /** There is time to compare. */
  run(): void {
    if (this.#state !== 'answered') return;
    this.#judge(this.#compared());
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
    if (this.#hasStopped) return;
    if (this.#state === 'running') this.onFault(Fault.Bug, '', true);
    this.#hasStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Copies are bounded by their number; their latency teaches a gate nothing that callers would gain from.
    this.variant.gate.leave(CallOutcome.Other, 0);
    if (this.#state === 'judged') this.#keeper.closed(this);
  }

  /** Whatever a variant has answered, it must not end the process. */
  #compared(): Agreement {
    try {
      return this.#keeper.compare(this, this.#prediction!, this.#tookUs);
    } catch (error) {
      this.#keeper.lost(error);
      return 'incomparable';
    }
  }

  /** Calls of copies count for a variant that gets nothing else. */
  get #isShadow(): boolean {
    return this.variant.role === 'shadow';
  }

  #open(timeoutMs: number): void {
    const { request, traceparent, requestId } = this.answered;
    // The notes of others go with the request itself; a copy is found by its trace.
    const options: CallOptions = { timeoutMs, traceparent, tracestate: '', requestId, affinity: 0, avoid: '' };
    this.#beganUs = this.#keeper.nowUs();
    try {
      this.#call = this.variant.backend.open(request, options, this);
    } catch {
      // `open` never throws, and if it does all the same, it must not be the request that was copied which fails.
      this.onFault(Fault.Bug, '', false);
      this.onClosed();
    }
  }

  #notAsked(outcome: ShadowOutcome): boolean {
    this.#state = 'judged';
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
    this.#prediction = null;
    this.#keeper.judged(this, outcome);
    if (this.#hasStopped) this.#keeper.closed(this);
  }

  #blame(kind: FaultKind): void {
    if (!this.#isShadow) return;
    this.variant.state.failures++;
    this.variant.state.lastFault = kind.code;
  }
}

export interface CopyLimits {
  readonly sizeBytes: number;
  readonly deadlineMs: Millis;
}

function cancelLate(copy: Copy): void {
  copy.cancelLate();
}
