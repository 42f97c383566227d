import type { CallOptions } from '../core/backend.ts';
import type { Clock } from '../core/clock.ts';
import type { Placed } from '../core/context.ts';
import { leftMs } from './time-left.ts';

/** What a backend is told about one try of a request. @hot */
export function callOptionsOf(ctx: Placed, clock: Clock, avoid: string): CallOptions {
  const timeoutMs = leftMs(ctx, clock);
  const { tryTimeoutMs } = ctx.route.calls;
  return {
    timeoutMs: tryTimeoutMs > 0 && tryTimeoutMs < timeoutMs ? tryTimeoutMs : timeoutMs,
    traceparent: ctx.traceparent,
    tracestate: ctx.tracestate,
    requestId: ctx.requestId,
    affinity: ctx.request.sequenceId === '' ? 0 : ctx.affinity,
    avoid,
  };
}
