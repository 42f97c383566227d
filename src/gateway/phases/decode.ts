import type { RequestContext } from '../../core/context.ts';
import type { Maybe, Verdict } from '../../core/verdict.ts';
import type { Stage } from '../lifecycle.ts';

/** Bytes become a request, or the answer to a question about models. The body is complete when this runs. */
export class Decode implements Stage {
  /** @hot */
  run(ctx: RequestContext): Maybe<Verdict> {
    for (let i = 0; i < ctx.body.length; i++) ctx.usage.inputBytes += ctx.body[i]!.length;
    return ctx.codec.decode(ctx);
  }
}
