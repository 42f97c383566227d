import type { RequestContext } from '../../core/context.ts';
import { rowsOf } from '../../core/inference.ts';
import { Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

/** Bytes become a request, or the answer to a question about models. The body is complete when this runs. */
export class Decode implements Stage {
  /** @hot */
  run(ctx: RequestContext): Verdict {
    for (let i = 0; i < ctx.body.length; i++) ctx.usage.inputBytes += ctx.body[i]!.length;
    const verdict = ctx.codec.decode(ctx);
    if (verdict === Verdict.Next) ctx.usage.rows = rowsOf(ctx.request!.inputs);
    return verdict;
  }
}
