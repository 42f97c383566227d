import type { Pending } from '../core/backend.ts';
import type { Inferred, Parts, Placed } from '../core/context.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import { CallOutcome, type QueueRefusal, type Turn } from '../core/gate.ts';
import type { Prediction } from '../core/inference.ts';
import type { Variant } from '../core/traffic.ts';
import { Verdict } from '../core/verdict.ts';
import { type Judged, judgeAnswer } from './answer-judge.ts';
import { Attempt, type AttemptOwner, sayNeverBegan } from './attempt.ts';
import { callOptionsOf } from './call-options.ts';
import { blamed, FULL, NO_VARIANT_WAIT_MS, NOT_READY, noteFailure, noteShut, OUT_OF_LINE, type Shut } from './failed-try.ts';
import { standInLine } from './line.ts';
import { mayHedge, mayRetry, type NextPlace, nextPlace } from './next-place.ts';
import { Parting } from './parting.ts';
import type { InferOptions } from './phases/infer.ts';
import { hasTime, leftMs } from './time-left.ts';

/**
 * All that is tried for one request: its place in line, its calls one after another or one beside a slow other, and what becomes of
 * them. The request waits for this as for one thing.
 */
export class Tries implements AttemptOwner, Judged, Pending, Turn {
  /** The judgement of an answer aside. The request itself waits for all of this. */
  call: Pending | null = null;
  readonly #o: InferOptions;
  readonly #ctx: Placed;
  /** The request has its answer or its fault, or nobody waits any more. */
  #over = false;
  /** Where a turn is waited for. */
  #variant: Variant;
  #line: Pending | null = null;
  /** Calls that may still answer: one, or two while one is a hedge. */
  #first: Attempt | null = null;
  #second: Attempt | null = null;
  /** For a hedge, or the wait before a retry. */
  #timer: NodeJS.Timeout | null = null;
  /** The endpoint that the next call avoids. */
  #avoid = '';

  constructor(options: InferOptions, ctx: Placed) {
    this.#o = options;
    this.#ctx = ctx;
    this.#variant = ctx.variant;
  }

  /** @hot */
  begin(): Verdict {
    this.#ctx.route.calls.budget.requested(this.#o.clock.nowMs());
    this.#ctx.call = this;
    return this.#try(this.#variant, '');
  }

  cancel(): void {
    this.#over = true;
    this.#stopTimer();
    this.#leaveLine();
    this.call?.cancel();
    this.#first?.call?.cancel();
    this.#second?.call?.cancel();
  }

  admitted(): void {
    this.#line = null;
    const variant = this.#variant;
    if (!this.#over && variant.state.readiness.is === 'ready') {
      this.#open(variant);
      return;
    }
    variant.gate.leave(CallOutcome.Other, 0);
    if (!this.#over) this.#carryOn(this.#shut(variant, NOT_READY));
  }

  refused(reason: QueueRefusal): void {
    this.#line = null;
    if (!this.#over) this.#carryOn(this.#shut(this.#variant, OUT_OF_LINE[reason]));
  }

  answered(attempt: Attempt, prediction: Prediction): boolean {
    attempt.answeredAt(this.#o.clock.nowUs());
    this.#ctx.awaitsBackend = false;
    // No hedge for what is here.
    this.#stopTimer();
    return judgeAnswer(attempt, prediction, this);
  }

  unjudged(attempt: Attempt, kind: FaultKind, detail: string): void {
    attempt.over = true;
    this.#o.tally.attempt(this.#ctx.route.model, attempt.variant.name, kind.code, attempt.latencyUs);
    if (this.#isLost(attempt)) this.#refuse(attempt, kind, detail);
  }

  judged(attempt: Attempt, prediction: Prediction, lie: string): boolean {
    const ctx = this.#ctx;
    if (lie !== '') {
      this.failed(attempt, Fault.BackendLied, lie);
      // Others of its answers may be on their way.
      attempt.call?.cancel();
      return false;
    }
    if (ctx.route.contract!.signature.decoupled) {
      this.#partsOf(attempt)?.offer(prediction);
      // With the first of them the request leaves this phase; after it the ticket is old, and nothing happens here.
      this.#o.lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
      return false;
    }
    attempt.over = true;
    this.#o.tally.attempt(ctx.route.model, attempt.variant.name, '', attempt.latencyUs);
    if (ctx.attempts === 1) ctx.route.calls.hedge?.note(attempt.latencyUs);
    if (!this.#settle(attempt)) return true;
    ctx.prediction = prediction;
    ctx.answeredBy = attempt.variant;
    ctx.usage.computeUs = prediction.computeUs;
    this.#o.lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
    return true;
  }

  ended(attempt: Attempt): void {
    const ctx = this.#ctx;
    if (attempt.over || !ctx.route.contract!.signature.decoupled) return;
    attempt.over = true;
    this.#o.tally.attempt(ctx.route.model, attempt.variant.name, '', this.#o.clock.nowUs() - attempt.startedUs);
    this.#partsOf(attempt)?.end();
    // A model may have nothing to say; then this is the first that is heard of it.
    this.#o.lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
  }

  failed(attempt: Attempt, kind: FaultKind, detail: string): void {
    if (attempt.over) return;
    attempt.over = true;
    const ctx = this.#ctx;
    if (kind === Fault.BackendTimeout) kind = blamed(kind, ctx, this.#o.clock);
    attempt.failedAfter(this.#o.clock.nowUs() - attempt.startedUs, kind);
    noteFailure(this.#o.tally, this.#o.clock, attempt, kind);
    if (ctx.parts !== null) {
      if (ctx.parts.source !== attempt) return;
      ctx.retryAfterMs = Math.max(0, attempt.retryAfterMs);
      ctx.parts.fail(kind, detail);
      return;
    }
    if (!this.#isLost(attempt)) return;
    this.#stopTimer();
    const next = hasTime(ctx, this.#o.clock) ? nextPlace(ctx, attempt.variant, attempt, kind) : null;
    if (next !== null && mayRetry(attempt, next, this.#o.clock)) this.#retry(next);
    else this.#refuse(attempt, kind, detail);
  }

  closed(attempt: Attempt): void {
    attempt.variant.gate.leave(attempt.outcome, attempt.latencyUs);
  }

  /** A second call beside a first that takes long: whichever answers first is the answer. */
  hedge(): void {
    this.#timer = null;
    const first = this.#first;
    if (this.#over || first === null || this.#second !== null || !mayHedge(first)) return;
    const { variant } = first;
    if (variant.state.readiness.is !== 'ready' || !variant.gate.enter()) return;
    if (!this.#ctx.route.calls.budget.take(this.#o.clock.nowMs())) {
      variant.gate.leave(CallOutcome.Other, 0);
      return;
    }
    variant.state.attempts++;
    this.#ctx.attempts++;
    this.#avoid = first.endpoint;
    this.#second = this.#call(variant);
  }

  retryNow(): void {
    this.#timer = null;
    if (!this.#over) this.#carryOn(this.#try(this.#variant, this.#avoid));
  }

  #try(variant: Variant, avoid: string): Verdict {
    this.#variant = variant;
    this.#avoid = avoid;
    this.#ctx.attempts++;
    variant.state.attempts++;
    if (variant.state.readiness.is !== 'ready') return this.#shut(variant, NOT_READY);
    if (variant.gate.enter()) {
      this.#open(variant);
      return Verdict.Park;
    }
    this.#line = standInLine(this.#ctx, variant, this);
    return this.#line === null ? this.#shut(variant, FULL) : Verdict.Park;
  }

  #open(variant: Variant): void {
    const first = this.#call(variant);
    this.#first = first;
    const { hedge } = this.#ctx.route.calls;
    if (hedge === null || this.#ctx.attempts > 1 || !mayHedge(first)) return;
    const { delayMs } = hedge;
    if (delayMs < leftMs(this.#ctx, this.#o.clock)) this.#timer = setTimeout(beginHedge, delayMs, this);
  }

  #call(variant: Variant): Attempt {
    const attempt = new Attempt(this, this.#ctx, variant, this.#o.clock.nowUs());
    this.#ctx.awaitsBackend = true;
    try {
      attempt.call = variant.backend.open(attempt.asked, callOptionsOf(this.#ctx, this.#o.clock, this.#avoid), attempt);
    } catch (error) {
      // Further up there may be a timer, or the end of another's call; and the place would never be given back.
      this.#o.parting.onLost(error);
      process.nextTick(sayNeverBegan, attempt);
    }
    return attempt;
  }

  /** The variant takes nothing now: it is not warm, or it is full and so is its line. */
  #shut(variant: Variant, { kind, why }: Shut): Verdict {
    const ctx = this.#ctx;
    this.#noteShut(variant, kind);
    const next = hasTime(ctx, this.#o.clock) ? nextPlace(ctx, variant, null, Fault.BackendUnreachable) : null;
    if (next !== null) return this.#try(next.variant, next.avoid);
    this.#over = true;
    ctx.call = null;
    ctx.retryAfterMs = NO_VARIANT_WAIT_MS;
    return ctx.refuse(leftMs(ctx, this.#o.clock) > 0 ? kind : Fault.DeadlineOver, `Variant "${variant.name}" ${why}.`);
  }

  #leaveLine(): void {
    if (this.#line === null) return;
    this.#line.cancel();
    this.#line = null;
    if (this.#ctx.fault !== Fault.DeadlineOver) return;
    // A variant whose line does not move would look well if nobody noted that it failed those who stand there.
    this.#noteShut(this.#variant, Fault.Overloaded);
  }

  #noteShut(variant: Variant, kind: FaultKind): void {
    noteShut(this.#o.tally, this.#ctx, variant, blamed(kind, this.#ctx, this.#o.clock));
  }

  #refuse(attempt: Attempt, kind: FaultKind, detail: string): void {
    const ctx = this.#ctx;
    this.#over = true;
    ctx.call = null;
    ctx.retryAfterMs = Math.max(0, attempt.retryAfterMs);
    ctx.refuse(kind, detail);
    this.#o.lifecycle().resume(ctx, attempt.ticket, Verdict.Refuse);
  }

  #retry({ variant, avoid, delayMs }: NextPlace): void {
    if (delayMs === 0) {
      this.#carryOn(this.#try(variant, avoid));
      return;
    }
    this.#variant = variant;
    this.#avoid = avoid;
    this.#timer = setTimeout(beginRetry, delayMs, this);
  }

  /** A try that begins or ends at once, long after `run` has left. */
  #carryOn(verdict: Verdict): void {
    if (verdict !== Verdict.Park) this.#o.lifecycle().resume(this.#ctx, this.#ctx.ticket, verdict);
  }

  /** The answer is here: nobody waits for another. False when the request has gone on without it. */
  #settle(attempt: Attempt): boolean {
    if (this.#over || this.#ctx.ticket !== attempt.ticket) return false;
    this.#over = true;
    this.#stopTimer();
    this.#ctx.call = null;
    this.#forget(attempt);
    this.#first?.call?.cancel();
    return true;
  }

  /** False when the request has gone on without it, or the other of two calls may still answer. */
  #isLost(attempt: Attempt): boolean {
    if (this.#over || this.#ctx.ticket !== attempt.ticket) return false;
    this.#forget(attempt);
    this.#ctx.awaitsBackend = this.#first !== null;
    return this.#first === null;
  }

  #forget(attempt: Attempt): void {
    if (this.#first === attempt) this.#first = this.#second;
    this.#second = null;
  }

  /** The answers that come by this attempt; null when the request has gone on without it. */
  #partsOf(attempt: Attempt): Parts | null {
    const ctx = this.#ctx;
    if (ctx.parts !== null) return ctx.parts.source === attempt ? ctx.parts : null;
    if (!this.#settle(attempt)) return null;
    ctx.answeredBy = attempt.variant;
    ctx.parts = new Parting(this.#o.parting, ctx as Inferred, attempt);
    return ctx.parts;
  }

  #stopTimer(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }
}

const beginHedge = (tries: Tries): void => tries.hedge();
const beginRetry = (tries: Tries): void => tries.retryNow();
