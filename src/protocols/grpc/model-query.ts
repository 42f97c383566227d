import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Route } from '../../core/traffic.ts';
import type { Verdict } from '../../core/verdict.ts';
import { variantByVersion, visibleRoute } from '../../core/visibility.ts';
import { decodeModelNameRequest } from '../../wire/oip/server-messages.ts';
import { QueryCodec } from './query-codec.ts';

/** A question about one model, and maybe one version of it, of those that the caller may see. */
export abstract class ModelQuery extends QueryCodec {
  protected abstract describe(ctx: RequestContext, route: Route, version: string): Uint8Array | Verdict;

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const asked = decodeModelNameRequest(message);
    if (typeof asked === 'string') return ctx.refuse(Fault.Malformed, asked);
    const route = ctx.principal === null ? null : visibleRoute(ctx.snapshot, ctx.principal, asked.name);
    if (route === null) return ctx.refuse(Fault.NotFound);
    if (asked.version !== '' && variantByVersion(route, asked.version) === null) return ctx.refuse(Fault.NotFound);
    return this.describe(ctx, route, asked.version);
  }
}
