import type { RequestContext } from '../core/context.ts';
import { RequestSpans, RequestTrace } from './request-spans.ts';
import { SpanQueue } from './span-queue.ts';
import { TraceIds } from './trace-ids.ts';
import { FLAG_SAMPLED, formatTraceparent, parseTraceparent, type TraceParent } from './traceparent.ts';
import type { OtlpConfig, TraceParts, Traces } from './traces.ts';
import { passedTracestate } from './tracestate.ts';

/**
 * Keeps a share of all traces. A request that is not kept costs two ids and nothing else; one that is kept writes its spans when it has
 * ended, out of the marks that its phases left, so that nothing is created, carried or forgotten on the way.
 */
export class RecordedTraces implements Traces {
  readonly #parts: TraceParts;
  readonly #ratio: number;
  readonly #ids: TraceIds;
  readonly #spans: RequestSpans;
  readonly #queue: SpanQueue;

  constructor(config: OtlpConfig, parts: TraceParts, ids = new TraceIds()) {
    this.#parts = parts;
    this.#ratio = config.sampleRatio;
    this.#ids = ids;
    this.#spans = new RequestSpans(parts.version, ids);
    this.#queue = new SpanQueue(config.endpoint, parts);
  }

  /** @hot */
  begin(ctx: RequestContext): void {
    const parent = parseTraceparent(ctx.head.header('traceparent'));
    // The notes belong to the caller's trace; one that begins here has none.
    if (parent !== null) ctx.tracestate = passedTracestate(ctx.head.header('tracestate'));
    const flags = parent === null ? this.#drawn() : parent.flags;
    if ((flags & FLAG_SAMPLED) === 0) this.#pass(ctx, parent);
    else this.#keep(ctx, parent, flags);
  }

  end(ctx: RequestContext, durationUs: number): void {
    const trace = ctx.span;
    if (!(trace instanceof RequestTrace)) return;
    ctx.span = null;
    // Whoever proved nothing cannot make us keep what he likes: his flag counts for nothing, and our own share decides.
    if (ctx.principal === null && trace.parent !== null && this.#drawn() === 0) return;
    this.#queue.offer(this.#spans.of(ctx, trace, durationUs));
  }

  shutdown(): Promise<void> {
    return this.#queue.shutdown();
  }

  #drawn(): number {
    return this.#ids.share() < this.#ratio ? FLAG_SAMPLED : 0;
  }

  /** The backend hears of the trace all the same, so that it does not begin one of its own. */
  #pass(ctx: RequestContext, parent: TraceParent | null): void {
    ctx.traceparent =
      parent === null
        ? formatTraceparent(this.#ids.traceId(), this.#ids.spanId(), 0)
        : formatTraceparent(parent.traceId, parent.spanId, parent.flags);
  }

  #keep(ctx: RequestContext, parent: TraceParent | null, flags: number): void {
    const traceId = parent === null ? this.#ids.traceId() : parent.traceId;
    const trace = new RequestTrace(traceId, parent, flags, this.#ids, this.#parts.clock.wallMs());
    ctx.span = trace;
    ctx.traceparent = formatTraceparent(traceId, trace.callSpanId, flags);
  }
}
