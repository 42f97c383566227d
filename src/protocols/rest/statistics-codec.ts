import type { RequestContext } from '../../core/context.ts';
import type { Tallied } from '../../core/statistics.ts';
import type { Route, Variant } from '../../core/traffic.ts';
import { Verdict } from '../../core/verdict.ts';
import { variantsByVersion, visibleRoutes } from '../../core/visibility.ts';
import { fillReply, jsonBytes } from './json-reply.ts';
import { QueryCodec } from './query-codec.ts';

const NS_PER_US = 1_000;

/** `GET .../stats` of one model, and of all that the caller may use where the path names none: a row for each variant. */
export class StatisticsCodec extends QueryCodec {
  override readonly name = 'rest-statistics';

  override decode(ctx: RequestContext): Verdict {
    const { model, version } = ctx.match;
    const routes = model === '' ? visibleRoutes(ctx.snapshot, ctx.principal!) : [this.routeOf(ctx)];
    if (routes[0] === null) return Verdict.Refuse;
    const rows: unknown[] = [];
    for (const route of routes) {
      for (const variant of variantsByVersion(route!, version)) rows.push(rowOf(route!, variant));
    }
    fillReply(ctx, 200, [jsonBytes({ model_stats: rows })]);
    return ctx.answer();
  }
}

/** What only the backend could tell (copying tensors in and out, its batches, its memory) is there and empty, since clients look for it. */
function rowOf(route: Route, variant: Variant): Readonly<Record<string, unknown>> {
  const { statistics } = variant.state;
  return {
    name: route.model,
    version: variant.name,
    last_inference: statistics.lastAnswerMs,
    inference_count: statistics.rows,
    execution_count: statistics.compute.count,
    inference_stats: {
      success: duration(statistics.success),
      fail: duration(statistics.fail),
      queue: duration(statistics.queue),
      compute_input: NOTHING,
      compute_infer: duration(statistics.compute),
      compute_output: NOTHING,
      cache_hit: duration(statistics.cacheHit),
      cache_miss: duration(statistics.cacheMiss),
    },
    response_stats: {},
    batch_stats: [],
    memory_usage: [],
  };
}

const NOTHING = Object.freeze({ count: 0, ns: 0 });

/** The clock has fractions of a microsecond; clients read whole nanoseconds. */
const duration = ({ count, us }: Tallied): { count: number; ns: number } => ({ count, ns: Math.round(us * NS_PER_US) });
