import type { RequestContext } from '../../core/context.ts';
import type { Deadlines } from '../../core/deadlines.ts';
import { Fault } from '../../core/faults.ts';
import type { ByteBudget } from '../../core/limits.ts';
import type { Observer } from '../../core/observer.ts';
import type { Recall } from './recall.ts';

export interface ReleaseOptions {
  readonly bytes: ByteBudget;
  readonly observer: Observer;
  readonly recall: Recall;
  /** Of requests whose model is known. */
  readonly deadlines: Deadlines<RequestContext>;
}

/** Gives back everything held and tells the observer. Runs once, when the exchange has closed. */
export class Release {
  readonly #o: ReleaseOptions;

  constructor(options: ReleaseOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: RequestContext): void {
    // The exchange is no more; whoever still brings answers to it is told.
    ctx.parts?.abort(Fault.ClientGone);
    this.#o.deadlines.remove(ctx);
    // Nobody reads the answer that a thread may still be writing.
    ctx.call?.cancel();
    ctx.place?.release();
    ctx.place = null;
    ctx.tenantPlace?.release();
    ctx.tenantPlace = null;
    if (ctx.heldBytes > 0) {
      this.#o.bytes.give(ctx.heldBytes);
      ctx.principal!.tenant.bytes.give(ctx.heldBytes);
    }
    ctx.heldBytes = 0;
    // A leader that crashed on its way never came through Book whole: nobody may wait for it for ever.
    if (ctx.leads) this.#o.recall.fail(ctx, Fault.Bug, '', false);
    ctx.body = [];
    this.#o.observer.finished(ctx);
  }
}
