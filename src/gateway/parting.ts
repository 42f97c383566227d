import { estimatedTokens } from '../accounting/token-estimate.ts';
import type { Inferred, Parts } from '../core/context.ts';
import type { PartCodec, PartExit } from '../core/exchange.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import type { Prediction } from '../core/inference.ts';
import { type Maybe, Verdict } from '../core/verdict.ts';
import type { Attempt } from './attempt.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Book } from './phases/book.ts';
import type { InspectOutput } from './phases/inspect.ts';
import { addCost, addHeaders } from './phases/reply.ts';

export interface PartingOptions {
  readonly inspect: InspectOutput;
  readonly book: Book;
  /** Late-bound: the lifecycle is built from its phases. */
  readonly lifecycle: () => Lifecycle;
  readonly onLost: (error: unknown) => void;
}

/**
 * The answers of a decoupled model on their way from one attempt to one client: each is judged, written and taken before the next is asked
 * for, so that no more than one is held whatever the client's pace. What they cost is booked before the end is written.
 */
export class Parting implements Parts {
  readonly #o: PartingOptions;
  readonly #ctx: Inferred;
  readonly source: Attempt;
  over = false;
  told = 0;
  #waiting: Prediction | null = null;
  /** Reply has come to it. */
  #begun = false;
  /** One is being judged, or written. */
  #busy = false;
  /** The backend has said its last word. */
  #ended = false;

  constructor(options: PartingOptions, ctx: Inferred, attempt: Attempt) {
    this.#o = options;
    this.#ctx = ctx;
    this.source = attempt;
  }

  offer(prediction: Prediction): void {
    if (this.over) return;
    this.#waiting = prediction;
    this.#ctx.usage.computeUs = prediction.computeUs;
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#pump();
  }

  begin(): void {
    this.#begun = true;
    this.#pump();
  }

  fail(kind: FaultKind, detail: string): void {
    if (this.over) return;
    this.#ctx.refuse(kind, detail);
    this.#finish();
  }

  abort(kind: FaultKind): void {
    if (this.over) return;
    // A client that does not read keeps the backend waiting, and not the other way round.
    const backendIsLate = kind === Fault.DeadlineOver && !this.#busy && !this.#ctx.deadlineIsCallers;
    this.#ctx.refuse(backendIsLate ? Fault.BackendTimeout : kind);
    this.#finish();
  }

  #pump(): void {
    if (!this.#begun || this.#busy || this.over) return;
    const prediction = this.#waiting;
    if (prediction === null) {
      if (this.#ended) this.#finish();
      return;
    }
    this.#waiting = null;
    this.#busy = true;
    this.#ctx.prediction = prediction;
    try {
      this.#settle(this.#o.inspect.judge(this.#ctx));
    } catch (error) {
      this.#crash(error);
    }
  }

  #settle(verdict: Maybe<Verdict>): void {
    if (typeof verdict === 'number') {
      this.#judged(verdict);
      return;
    }
    verdict.then(
      (settled) => this.#judged(settled),
      (error: unknown) => this.#crash(error),
    );
  }

  #judged(verdict: Verdict): void {
    if (this.over) return;
    if (verdict !== Verdict.Next) {
      this.#finish();
      return;
    }
    try {
      this.#tell();
    } catch (error) {
      this.#crash(error);
    }
  }

  #tell(): void {
    const ctx = this.#ctx;
    ctx.reply.headers.length = 0;
    const encoded = (ctx.codec as PartCodec).encodePart(ctx);
    if (encoded instanceof Promise) encoded.then(() => this.#send()).catch((error: unknown) => this.#crash(error));
    else this.#send();
  }

  #send(): void {
    // The end may have been written meanwhile.
    if (this.over) return;
    const ctx = this.#ctx;
    if (ctx.fault !== null) {
      this.#finish();
      return;
    }
    if (this.told === 0) addHeaders(ctx);
    this.told++;
    this.#count(ctx.prediction);
    (ctx.exit as PartExit).part(ctx.reply, () => this.#taken());
  }

  /** Called from a backend or a listener, so that an error must not go up from here. */
  #crash(error: unknown): void {
    this.#o.onLost(error);
    this.fail(Fault.Bug, '');
  }

  #taken(): void {
    this.#busy = false;
    if (this.over) return;
    this.source.call!.resume();
    this.#pump();
  }

  #count({ outputs }: Prediction): void {
    const { usage, answeredBy } = this.#ctx;
    for (let i = 0; i < outputs.length; i++) usage.outputBytes += outputs[i]!.data.length;
    if (answeredBy.price.perOutputToken > 0) usage.outputTokens += estimatedTokens(outputs);
  }

  /** Books, and writes the end: the way a whole answer ends when nothing was told yet. */
  #finish(): void {
    const ctx = this.#ctx;
    this.over = true;
    this.#waiting = null;
    if (!this.#ended) this.source.call!.cancel();
    // A thread may be judging or writing what nobody waits for any more.
    ctx.call?.cancel();
    if (ctx.answeredBy.price.perInputToken > 0) ctx.usage.inputTokens = estimatedTokens(ctx.request.inputs);
    try {
      this.#o.book.run(ctx);
      this.#write();
    } catch (error) {
      this.#o.onLost(error);
      ctx.exit.reset();
    }
    this.#o.lifecycle().resume(ctx, ctx.ticket, Verdict.Next);
  }

  #write(): void {
    const ctx = this.#ctx;
    const { reply } = ctx;
    reply.headers.length = 0;
    reply.pieces = [];
    if (ctx.gone) ctx.exit.reset();
    else if (this.told === 0 && ctx.fault !== null) {
      ctx.codec.encodeFault(ctx);
      addHeaders(ctx);
      ctx.exit.send(reply);
    } else {
      (ctx.codec as PartCodec).encodeEnd(ctx);
      if (this.told === 0) addHeaders(ctx);
      else addCost(ctx);
      (ctx.exit as PartExit).end(reply);
    }
  }
}
