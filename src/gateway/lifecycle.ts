import type { Authorised, Decoded, Identified, Inferred, Placed, RequestContext } from '../core/context.ts';
import { Fault, type FaultKind, GatewayError } from '../core/faults.ts';
import { type Maybe, Phase, Verdict } from '../core/verdict.ts';

/** One step in the life of a request. */
export interface Stage<Ctx extends RequestContext = RequestContext> {
  run(ctx: Ctx): Maybe<Verdict>;
}

/** One line for each phase; the last gives back what is held and cannot refuse. */
export interface Phases {
  readonly identify: Stage;
  readonly admit: Stage;
  readonly decode: Stage;
  readonly authorise: Stage<Decoded>;
  readonly inspectInput: Stage<Authorised>;
  readonly place: Stage<Authorised>;
  readonly recall: Stage<Placed>;
  readonly infer: Stage<Placed>;
  readonly inspectOutput: Stage<Inferred>;
  readonly book: Stage;
  readonly reply: Stage;
  readonly release: (ctx: RequestContext) => void;
  /** Whether others wait for what this request finds, so that it must go on although its own client has left. */
  readonly hasFollowers: (ctx: RequestContext) => boolean;
}

/**
 * The life of a request, top to bottom. Each line is one phase with a call site of its own, so the engine sees one receiver shape a
 * line. A phase that answers at once costs no promise: the small integers it returns were measured at a tenth of what `await` costs.
 */
export class Lifecycle {
  readonly #p: Phases;
  readonly #nowUs: () => number;
  readonly #onLost: (error: unknown) => void;

  /** `onLost` hears of errors that nobody can be told about any more. */
  constructor(phases: Phases, nowUs: () => number, onLost: (error: unknown) => void) {
    this.#p = phases;
    this.#nowUs = nowUs;
    this.#onLost = onLost;
  }

  /** Carries `ctx` on from its phase until it is done or has to wait. @hot */
  drive(ctx: RequestContext): void {
    const p = this.#p;
    try {
      if (ctx.phase === Phase.Identify && !this.#pass(ctx, p.identify.run(ctx))) return;
      if (ctx.phase === Phase.Admit && !this.#pass(ctx, p.admit.run(ctx as Identified))) return;
      // The body is on its way; `complete` of the front drives on.
      if (ctx.phase === Phase.Decode && ctx.awaitsBody) return;
      if (ctx.phase === Phase.Decode && !this.#pass(ctx, p.decode.run(ctx))) return;
      if (ctx.phase === Phase.Authorise && !this.#pass(ctx, p.authorise.run(ctx as Decoded))) return;
      if (ctx.phase === Phase.InspectInput && !this.#pass(ctx, p.inspectInput.run(ctx as Authorised))) return;
      if (ctx.phase === Phase.Place && !this.#pass(ctx, p.place.run(ctx as Authorised))) return;
      if (ctx.phase === Phase.Recall && !this.#pass(ctx, p.recall.run(ctx as Placed))) return;
      if (ctx.phase === Phase.Infer && !this.#pass(ctx, p.infer.run(ctx as Placed))) return;
      if (ctx.phase === Phase.InspectOutput && !this.#pass(ctx, p.inspectOutput.run(ctx as Inferred))) return;
      if (ctx.phase === Phase.Book && !this.#pass(ctx, p.book.run(ctx))) return;
      if (ctx.phase !== Phase.Reply) return;
      // A small answer may close the exchange from inside; then there is nothing left to pass on.
      const verdict = p.reply.run(ctx);
      if (ctx.phase === Phase.Reply) this.#pass(ctx, verdict);
      if (ctx.exchangeClosed) this.#finish(ctx);
    } catch (error) {
      this.#crash(ctx, error);
    }
  }

  /** The other half of Verdict.Park. `ticket` is `ctx.ticket` as it was when the phase kept the request; an old one is ignored. */
  resume(ctx: RequestContext, ticket: number, verdict: Verdict): void {
    if (ctx.ticket !== ticket || ctx.phase >= Phase.Release) return;
    if (this.#pass(ctx, verdict)) this.drive(ctx);
  }

  /** The client went away or the deadline passed. Safe at any time, more than once. */
  abort(ctx: RequestContext, gone: boolean): void {
    if (gone) ctx.gone = true;
    // Book may be waiting for a disk: what was used stays booked, and Reply sees that nobody listens.
    if (ctx.phase >= Phase.Book) {
      ctx.parts?.abort(gone ? Fault.ClientGone : Fault.DeadlineOver);
      return;
    }
    if (gone && this.#p.hasFollowers(ctx)) return;
    ctx.refuse(gone ? Fault.ClientGone : timeoutOf(ctx));
    this.#cancelCall(ctx);
    this.#skipToBook(ctx);
  }

  /** Refuses a request from outside its phases: the body could not be had, or the gateway goes down. */
  refuse(ctx: RequestContext): void {
    if (ctx.phase >= Phase.Book) return;
    this.#cancelCall(ctx);
    this.#skipToBook(ctx);
  }

  /** The last byte has left, or the exchange was cut. */
  closed(ctx: RequestContext): void {
    ctx.exchangeClosed = true;
    // Ended before an answer was tried: leave through the same door as a client that left. One that others wait for goes on.
    if (ctx.phase < Phase.Reply) this.abort(ctx, true);
    if (ctx.phase >= Phase.Reply) this.#finish(ctx);
  }

  #finish(ctx: RequestContext): void {
    if (ctx.phase === Phase.Done) return;
    ctx.phase = Phase.Done;
    ctx.ticket++;
    try {
      this.#p.release(ctx);
    } catch (error) {
      this.#onLost(error);
    }
  }

  #pass(ctx: RequestContext, verdict: Maybe<Verdict>): boolean {
    if (verdict === Verdict.Next) {
      ctx.marksUs[ctx.phase] = this.#nowUs() - ctx.startedUs;
      ctx.phase = (ctx.phase + 1) as Phase;
      ctx.ticket++;
      return true;
    }
    if (typeof verdict === 'number') {
      if (verdict !== Verdict.Park) this.#skipToBook(ctx);
      return false;
    }
    this.#await(ctx, verdict);
    return false;
  }

  #await(ctx: RequestContext, verdict: Promise<Verdict>): void {
    const ticket = ctx.ticket;
    verdict.then(
      (settled) => this.resume(ctx, ticket, settled),
      (error: unknown) => {
        if (ctx.ticket === ticket) this.#crash(ctx, error);
      },
    );
  }

  #skipToBook(ctx: RequestContext): void {
    ctx.marksUs[ctx.phase] = this.#nowUs() - ctx.startedUs;
    // A refusal in Book itself still has to be told to the client.
    ctx.phase = ctx.phase >= Phase.Book ? Phase.Reply : Phase.Book;
    ctx.awaitsBody = false;
    ctx.ticket++;
    this.drive(ctx);
  }

  #crash(ctx: RequestContext, error: unknown): void {
    if (ctx.phase >= Phase.Reply) {
      this.#onLost(error);
      ctx.exit.reset();
      this.#finish(ctx);
      return;
    }
    if (error instanceof GatewayError) ctx.refuse(error.kind, error.detail);
    else {
      this.#onLost(error);
      ctx.refuse(Fault.Bug);
    }
    this.#cancelCall(ctx);
    this.#skipToBook(ctx);
  }

  #cancelCall(ctx: RequestContext): void {
    // The ticket goes up first: a call may report its own end from inside `cancel`, and that report is too late.
    ctx.ticket++;
    const call = ctx.call;
    ctx.call = null;
    call?.cancel();
  }
}

/** The backend is to blame for a deadline that passes while it works, unless the caller granted less than the model's config does. */
function timeoutOf(ctx: RequestContext): FaultKind {
  return ctx.awaitsBackend && !ctx.deadlineIsCallers ? Fault.BackendTimeout : Fault.DeadlineOver;
}
