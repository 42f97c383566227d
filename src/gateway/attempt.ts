import type { Call, CallSink } from '../core/backend.ts';
import type { Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import { CallOutcome } from '../core/gate.ts';
import type { InferenceRequest, Prediction } from '../core/inference.ts';
import type { Variant } from '../core/traffic.ts';

/** Who hears how an attempt ended. */
export interface AttemptOwner {
  /** Whether the next answer may come at once. */
  answered(attempt: Attempt, prediction: Prediction): boolean;
  /** All answers have come. */
  ended(attempt: Attempt): void;
  failed(attempt: Attempt, kind: FaultKind, detail: string): void;
  closed(attempt: Attempt): void;
}

/** One call to one variant for one request: the only object a backend call allocates here. */
export class Attempt implements CallSink {
  readonly ctx: Placed;
  readonly variant: Variant;
  /** What the backend is asked, which its answer has to fit. */
  readonly asked: InferenceRequest;
  /** `ctx.ticket` as it was when the call began: an answer after it has moved on is dropped. */
  readonly ticket: number;
  readonly startedUs: number;
  /** Null until it has begun. */
  call: Call | null = null;
  /** Its end has been noted. */
  over = false;
  /** Microseconds to its answer, or until nobody waited for one; 0 while there is neither. */
  latencyUs = 0;
  /** What it says about the load of its backend. */
  outcome: CallOutcome = CallOutcome.Other;
  /** The backend may have begun the work. */
  reached = false;
  /** What the backend asks its callers to wait; 0 when it says nothing. */
  retryAfterMs = 0;
  readonly #owner: AttemptOwner;

  constructor(owner: AttemptOwner, ctx: Placed, variant: Variant, startedUs: number) {
    this.#owner = owner;
    this.ctx = ctx;
    this.variant = variant;
    this.asked = askedOf(ctx);
    this.ticket = ctx.ticket;
    this.startedUs = startedUs;
  }

  /** Where it went; empty when it was refused without a call. */
  get endpoint(): string {
    return this.call === null ? '' : this.call.endpoint;
  }

  /** Notes the first answer. */
  answeredAt(nowUs: number): void {
    if (this.latencyUs > 0) return;
    this.latencyUs = Math.max(1, nowUs - this.startedUs);
    this.outcome = CallOutcome.Answered;
  }

  /** What its end says about the load of its backend. */
  failedAfter(durationUs: number, kind: FaultKind): void {
    if (kind === Fault.BackendTimeout || kind === Fault.BackendBusy) this.outcome = CallOutcome.Overloaded;
    else if (this.latencyUs === 0 && (kind === Fault.DeadlineOver || kind === Fault.ClientGone)) {
      this.latencyUs = durationUs;
      this.outcome = CallOutcome.Cut;
    } else this.outcome = CallOutcome.Other;
  }

  onPrediction(prediction: Prediction): boolean {
    return this.#owner.answered(this, prediction);
  }

  onEnd(): void {
    this.#owner.ended(this);
  }

  onFault(kind: FaultKind, detail: string, reached: boolean, retryAfterMs: number): void {
    this.reached = reached;
    this.retryAfterMs = retryAfterMs;
    // A call that we cut because its time was over did not end because its client left.
    const over = this.ctx.fault === Fault.BackendTimeout || this.ctx.fault === Fault.DeadlineOver;
    const cause = kind === Fault.ClientGone && over ? this.ctx.fault! : kind;
    this.#owner.failed(this, cause, detail);
  }

  onClosed(): void {
    this.#owner.closed(this);
  }
}

/** For a backend that threw where it should have begun. */
export function sayNeverBegan(attempt: Attempt): void {
  attempt.onFault(Fault.Bug, '', false, -1);
  attempt.onClosed();
}

/** Guards judge the whole answer, or a caller could leave out the output that would be blocked; InspectOutput narrows it afterwards. */
function askedOf(ctx: Placed): InferenceRequest {
  const { request } = ctx;
  if (ctx.route.outputGuards === null || request.wanted.length === 0) return request;
  return { ...request, wanted: NO_NAMES };
}

const NO_NAMES: readonly string[] = Object.freeze([]);
