import type { RequestContext } from '../../core/context.ts';
import type { Codec } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { Route } from '../../core/traffic.ts';
import type { Verdict } from '../../core/verdict.ts';
import { variantByVersion, visibleRoute } from '../../core/visibility.ts';
import { fillFault } from './json-reply.ts';

/** A question that the gateway answers itself: nothing is asked of a backend, so there is no prediction to write. */
export abstract class QueryCodec implements Codec {
  abstract readonly name: string;

  abstract decode(ctx: RequestContext): Verdict;

  encode(ctx: RequestContext): void {
    ctx.refuse(Fault.Bug, 'this question has no prediction for an answer');
    this.encodeFault(ctx);
  }

  encodeFault(ctx: RequestContext): void {
    fillFault(ctx, '');
  }

  /** The route that the path names, or null after the refusal. A version that no variant carries is refused like an unknown model. */
  protected routeOf(ctx: RequestContext): Route | null {
    const { model, version } = ctx.match;
    const route = visibleRoute(ctx.snapshot, ctx.principal!, model);
    if (route !== null && (version === '' || variantByVersion(route, version) !== null)) return route;
    ctx.refuse(Fault.NotFound);
    return null;
  }
}
