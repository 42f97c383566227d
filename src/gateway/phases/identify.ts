import { credentialOf } from '../../auth/credential.ts';
import type { Clock } from '../../core/clock.ts';
import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import { Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

/** Who calls? Sees header fields alone, so a stranger's body is never read. */
export class Identify implements Stage {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @hot */
  run(ctx: RequestContext): Verdict {
    if (ctx.match.open) return Verdict.Next;
    const credential = credentialOf(ctx.head);
    if (credential === '') return ctx.refuse(Fault.KeyMissing);
    ctx.principal = ctx.snapshot.identify(credential, this.#clock.wallMs(), ctx.head.notes?.proof);
    return ctx.principal === null ? ctx.refuse(Fault.KeyUnknown) : Verdict.Next;
  }
}
