import type { CallOptions } from '../core/backend.ts';
import type { Placed } from '../core/context.ts';

/** What a backend is told about one try of a request. @hot */
export function callOptionsOf(ctx: Placed, leftMs: number, avoid: string): CallOptions {
  const { tryTimeoutMs } = ctx.route.calls;
  return {
    timeoutMs: tryTimeoutMs > 0 && tryTimeoutMs < leftMs ? tryTimeoutMs : leftMs,
    traceparent: ctx.traceparent,
    tracestate: ctx.tracestate,
    requestId: ctx.requestId,
    affinity: ctx.request.sequenceId === '' ? 0 : ctx.affinity,
    avoid,
  };
}
