import type { RequestContext } from '../../core/context.ts';
import { rowsOf } from '../../core/inference.ts';
import { type Maybe, Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

/** Bytes become a request, or the answer to a question about models. The body is complete when this runs. */
export class Decode implements Stage {
  /** @hot */
  run(ctx: RequestContext): Maybe<Verdict> {
    for (let i = 0; i < ctx.body.length; i++) ctx.usage.inputBytes += ctx.body[i]!.length;
    const verdict = ctx.codec.decode(ctx);
    return typeof verdict === 'number' ? counted(ctx, verdict) : verdict.then((settled) => counted(ctx, settled));
  }
}

function counted(ctx: RequestContext, verdict: Verdict): Verdict {
  if (verdict === Verdict.Next) ctx.usage.rows = rowsOf(ctx.request!.inputs);
  return verdict;
}
