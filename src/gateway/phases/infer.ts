import type { CallOptions } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import type { Inferred, Parts, Placed } from '../../core/context.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Prediction } from '../../core/inference.ts';
import type { Tally } from '../../core/observer.ts';
import type { Variant } from '../../core/traffic.ts';
import { Verdict } from '../../core/verdict.ts';
import { admitTo, leaveFrom } from '../../router/variant-gate.ts';
import { Attempt, type AttemptOwner } from '../attempt.ts';
import type { Lifecycle, Stage } from '../lifecycle.ts';
import { Parting, type PartingOptions } from '../parting.ts';

/** Calls for one request: the first, and one more on stable when the first variant could not be reached. */
const MAX_ATTEMPTS = 2;
/** Milliseconds a caller is told to wait when no variant can take the request. */
const NO_VARIANT_WAIT_MS = 1_000;

export interface InferOptions {
  readonly clock: Clock;
  readonly tally: Tally;
  /** Late-bound: the lifecycle is built from its phases. */
  readonly lifecycle: () => Lifecycle;
  /** What several answers to one request need on their way. */
  readonly parting: PartingOptions;
}

/** The backend call, with its permit, its one retry on stable, and the check of what came back. */
export class Infer implements Stage<Placed>, AttemptOwner {
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #lifecycle: () => Lifecycle;
  readonly #parting: PartingOptions;

  constructor(options: InferOptions) {
    this.#clock = options.clock;
    this.#tally = options.tally;
    this.#lifecycle = options.lifecycle;
    this.#parting = options.parting;
  }

  /** @hot */
  run(ctx: Placed): Verdict {
    return this.#begin(ctx, ctx.variant);
  }

  answered(attempt: Attempt, prediction: Prediction): boolean {
    const { ctx, variant } = attempt;
    const lie = ctx.route.contract!.lie(attempt.asked, prediction);
    if (lie !== '') {
      this.failed(attempt, Fault.BackendLied, lie, true);
      // Others of its answers may be on their way.
      attempt.call?.cancel();
      return false;
    }
    if (ctx.route.contract!.signature.decoupled) {
      this.#partsOf(attempt)?.offer(prediction);
      // With the first of them the request leaves this phase; after it the ticket is old, and nothing happens here.
      this.#lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
      return false;
    }
    this.#tally.attempt(ctx.route.model, variant.name, '', this.#clock.nowUs() - attempt.startedUs);
    if (ctx.ticket !== attempt.ticket) return true;
    ctx.call = null;
    ctx.prediction = prediction;
    ctx.answeredBy = variant;
    ctx.usage.computeUs = prediction.computeUs;
    this.#lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
    return true;
  }

  ended(attempt: Attempt): void {
    const { ctx, variant } = attempt;
    if (attempt.over || !ctx.route.contract!.signature.decoupled) return;
    attempt.over = true;
    this.#tally.attempt(ctx.route.model, variant.name, '', this.#clock.nowUs() - attempt.startedUs);
    this.#partsOf(attempt)?.end();
    // A model may have nothing to say; then this is the first that is heard of it.
    this.#lifecycle().resume(ctx, attempt.ticket, Verdict.Next);
  }

  failed(attempt: Attempt, kind: FaultKind, detail: string, reached: boolean): void {
    const { ctx, variant } = attempt;
    if (attempt.over) return;
    attempt.over = true;
    // The caller's own patience ended: that says nothing about the backend.
    if (kind === Fault.BackendTimeout && ctx.deadlineIsCallers) kind = Fault.DeadlineOver;
    this.#note(ctx, variant, kind, this.#clock.nowUs() - attempt.startedUs);
    if (ctx.parts !== null) {
      if (ctx.parts.source !== attempt) return;
      ctx.retryAfterMs = attempt.retryAfterMs;
      ctx.parts.fail(kind, detail);
      return;
    }
    if (ctx.ticket !== attempt.ticket) return;
    ctx.call = null;
    if (!reached && this.#mayFallBack(ctx, variant, kind)) {
      // A second call may answer or refuse at once; both are carried on from here, since the first left `run` long ago.
      const verdict = this.#begin(ctx, ctx.route.plan.variants[0]!);
      if (verdict !== Verdict.Park) this.#lifecycle().resume(ctx, ctx.ticket, verdict);
      return;
    }
    ctx.retryAfterMs = attempt.retryAfterMs;
    ctx.refuse(kind, detail);
    this.#lifecycle().resume(ctx, attempt.ticket, Verdict.Refuse);
  }

  closed(attempt: Attempt): void {
    leaveFrom(attempt.variant);
  }

  #begin(ctx: Placed, variant: Variant): Verdict {
    ctx.attempts++;
    if (!admitTo(variant)) return this.#shut(ctx, variant);
    const attempt = new Attempt(this, ctx, variant, this.#clock.nowUs());
    const options: CallOptions = {
      timeoutMs: ctx.deadlineMs - this.#clock.nowMs(),
      traceparent: ctx.traceparent,
      tracestate: ctx.tracestate,
      requestId: ctx.requestId,
      affinity: ctx.request.sequenceId === '' ? 0 : ctx.affinity,
      avoid: '',
    };
    attempt.call = variant.backend.open(attempt.asked, options, attempt);
    ctx.call = attempt.call;
    return Verdict.Park;
  }

  /** The answers that come by this attempt; null when the request has gone on without it. */
  #partsOf(attempt: Attempt): Parts | null {
    const { ctx, variant } = attempt;
    if (ctx.parts !== null) return ctx.parts.source === attempt ? ctx.parts : null;
    if (ctx.ticket !== attempt.ticket) return null;
    ctx.call = null;
    ctx.answeredBy = variant;
    ctx.parts = new Parting(this.#parting, ctx as Inferred, attempt);
    return ctx.parts;
  }

  /** The variant takes nothing now: it is not warm, or it is full. */
  #shut(ctx: Placed, variant: Variant): Verdict {
    const ready = variant.state.readiness.is === 'ready';
    const kind = ready ? Fault.Overloaded : Fault.NoVariant;
    this.#note(ctx, variant, kind, 0);
    if (this.#mayFallBack(ctx, variant, Fault.BackendUnreachable)) return this.#begin(ctx, ctx.route.plan.variants[0]!);
    ctx.retryAfterMs = NO_VARIANT_WAIT_MS;
    return ctx.refuse(kind, ready ? `Variant "${variant.name}" is full.` : `Variant "${variant.name}" is not ready.`);
  }

  /**
   * A caller that named its variant gets that one or a fault; a fallback would answer a question it did not ask. A sequence has its state
   * in one place, and stable would begin it anew.
   */
  #mayFallBack(ctx: Placed, variant: Variant, kind: FaultKind): boolean {
    if (ctx.request.sequenceId !== '') return false;
    return kind.retry === 'elsewhere' && variant.role !== 'stable' && !ctx.pinned && ctx.attempts < MAX_ATTEMPTS;
  }

  #note(ctx: Placed, variant: Variant, kind: FaultKind, durationUs: number): void {
    this.#tally.attempt(ctx.route.model, variant.name, kind.code, durationUs);
    // What a backend itself refuses counts too, or a canary that refuses everything would look well.
    if ((kind.blame === 'client' && kind !== Fault.BackendRefused) || kind === Fault.DeadlineOver) return;
    variant.state.failures++;
    variant.state.lastFault = kind.code;
  }
}
