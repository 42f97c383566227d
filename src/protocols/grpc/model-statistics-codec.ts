import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Route } from '../../core/traffic.ts';
import type { Verdict } from '../../core/verdict.ts';
import { variantsByVersion, visibleRoute, visibleRoutes } from '../../core/visibility.ts';
import { encodeModelStatistics, type NamedStatistics } from '../../wire/oip/model-statistics.ts';
import { decodeModelNameRequest } from '../../wire/oip/server-messages.ts';
import { QueryCodec } from './query-codec.ts';

/** ModelStatistics: what the variants of one model, or of all models of a caller, have done since the start. */
export class ModelStatisticsCodec extends QueryCodec {
  readonly name = 'grpc_model_statistics';

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const asked = decodeModelNameRequest(message);
    if (typeof asked === 'string') return ctx.refuse(Fault.Malformed, asked);
    const routes = routesFor(ctx, asked.name);
    if (routes === null) return ctx.refuse(Fault.NotFound);
    const entries: NamedStatistics[] = [];
    for (const route of routes) {
      for (const { name, state } of variantsByVersion(route, asked.version)) {
        entries.push({ model: route.model, version: name, statistics: state.statistics });
      }
    }
    if (asked.version !== '' && entries.length === 0) return ctx.refuse(Fault.NotFound);
    return encodeModelStatistics(entries);
  }
}

/** The one model that was named, or all that the caller may use; null when it may not use the one. */
function routesFor(ctx: RequestContext, name: string): readonly Route[] | null {
  if (ctx.principal === null) return null;
  if (name === '') return visibleRoutes(ctx.snapshot, ctx.principal);
  const route = visibleRoute(ctx.snapshot, ctx.principal, name);
  return route === null ? null : [route];
}
