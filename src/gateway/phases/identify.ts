import { credentialOf } from '../../auth/credential.ts';
import type { Clock } from '../../core/clock.ts';
import type { RequestContext } from '../../core/context.ts';
import type { Head } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { Proof } from '../../core/tenant.ts';
import { Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

const proofOf = ({ notes }: Head): Proof | null => (notes === null ? null : notes.proof);

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
    ctx.principal = ctx.snapshot.identify(credential, this.#clock.wallMs(), proofOf(ctx.head));
    return ctx.principal === null ? ctx.refuse(Fault.KeyUnknown) : Verdict.Next;
  }
}
