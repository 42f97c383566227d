import { type Attributes, type SpanContext, SpanKind, type SpanStatus, SpanStatusCode } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { RequestContext } from '../core/context.ts';
import type { FaultKind } from '../core/faults.ts';
import type { Variant } from '../core/traffic.ts';
import { PHASE_NAMES, Phase } from '../core/verdict.ts';
import { FinishedSpan, type SpanSource } from './finished-span.ts';
import { serverAttributes, serverSpanName } from './span-attributes.ts';
import type { TraceIds } from './trace-ids.ts';
import type { TraceParent } from './traceparent.ts';

/** A phase shorter than this is not worth a span: with a dozen phases a request most spans would say nothing. */
const LEAST_PHASE_US = 50;

/** The trace of one request while it lasts: the ids that others may see before its spans are written. */
export class RequestTrace {
  readonly traceId: string;
  readonly parent: TraceParent | null;
  readonly flags: number;
  readonly serverSpanId: string;
  /** The call to the backend; its id goes out with the call. */
  readonly callSpanId: string;
  /** When the request began. */
  readonly wallMs: number;

  constructor(traceId: string, parent: TraceParent | null, flags: number, ids: TraceIds, wallMs: number) {
    this.traceId = traceId;
    this.parent = parent;
    this.flags = flags;
    this.serverSpanId = ids.spanId();
    this.callSpanId = ids.spanId();
    this.wallMs = wallMs;
  }

  context(spanId: string): SpanContext {
    return { traceId: this.traceId, spanId, traceFlags: this.flags };
  }
}

interface PhaseRun {
  readonly phase: number;
  /** A backend was called in it. */
  readonly called: boolean;
  readonly parent: SpanContext;
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * Writes the spans of a request that has ended.
 *
 *   server span ─┬─ decode, inspect_input, … (phases that took time)
 *                └─ infer: the call to the backend, which is the parent of the backend's own spans
 */
export class RequestSpans {
  readonly #source: SpanSource;
  readonly #ids: TraceIds;

  constructor(version: string, ids: TraceIds) {
    this.#ids = ids;
    this.#source = {
      resource: resourceFromAttributes({ 'service.name': 'sluice', 'service.version': version, 'process.pid': process.pid }),
      instrumentationScope: { name: 'sluice', version },
    };
  }

  of(ctx: RequestContext, trace: RequestTrace, durationUs: number): ReadableSpan[] {
    const server = trace.context(trace.serverSpanId);
    const spans: ReadableSpan[] = [this.#server(ctx, trace, server, durationUs)];
    let beforeUs = 0;
    for (let phase = 0; phase < PHASE_NAMES.length; phase++) {
      const markUs = ctx.marksUs[phase]!;
      if (markUs === 0) continue;
      const called = phase === Phase.Infer && ctx.attempts > 0;
      // The backend may know the call's span by its id, so that one is written however short it was.
      if (called || markUs - beforeUs >= LEAST_PHASE_US) {
        spans.push(this.#phase(ctx, trace, { phase, called, parent: server, startUs: beforeUs, endUs: markUs }));
      }
      beforeUs = markUs;
    }
    return spans;
  }

  #phase(ctx: RequestContext, trace: RequestTrace, run: PhaseRun): ReadableSpan {
    const failed = ctx.fault !== null && ctx.faultPhase === run.phase ? ctx.fault : null;
    return new FinishedSpan(this.#source, trace.wallMs, {
      name: PHASE_NAMES[run.phase]!,
      kind: run.called ? callKind(ctx) : SpanKind.INTERNAL,
      context: trace.context(run.called ? trace.callSpanId : this.#ids.spanId()),
      parent: run.parent,
      startUs: run.startUs,
      endUs: run.endUs,
      status: statusOf(failed),
      attributes: phaseAttributes(ctx, run.called, failed),
    });
  }

  #server(ctx: RequestContext, trace: RequestTrace, context: SpanContext, durationUs: number): ReadableSpan {
    const { parent } = trace;
    return new FinishedSpan(this.#source, trace.wallMs, {
      name: serverSpanName(ctx),
      kind: SpanKind.SERVER,
      context,
      parent:
        parent === null ? null : { traceId: trace.traceId, spanId: parent.spanId, traceFlags: parent.flags, isRemote: true },
      startUs: 0,
      endUs: durationUs,
      status: statusOf(ctx.fault),
      attributes: serverAttributes(ctx),
    });
  }
}

/** What a caller got wrong is no failure of the span that told him so. */
function statusOf(fault: FaultKind | null): SpanStatus {
  return { code: fault === null || fault.blame === 'client' ? SpanStatusCode.UNSET : SpanStatusCode.ERROR };
}

/** The variant that answered, or the one that was asked last. */
function calledVariant(ctx: RequestContext): Variant | null {
  return ctx.answeredBy === null ? ctx.variant : ctx.answeredBy;
}

/** A model in this process is no peer: a CLIENT span for it would draw a server that does not exist. */
function callKind(ctx: RequestContext): SpanKind {
  const variant = calledVariant(ctx);
  return variant !== null && variant.backend.kind === 'onnx' ? SpanKind.INTERNAL : SpanKind.CLIENT;
}

function phaseAttributes(ctx: RequestContext, called: boolean, failed: FaultKind | null): Attributes {
  const attributes: Attributes = {};
  if (failed !== null) attributes['error.type'] = failed.code;
  const variant = called ? calledVariant(ctx) : null;
  if (variant === null) return attributes;
  attributes['sluice.variant'] = variant.name;
  attributes['sluice.attempts'] = ctx.attempts;
  attributes['sluice.backend.kind'] = variant.backend.kind;
  if (variant.backend.kind === 'grpc') {
    const { target } = variant.backend;
    const colon = target.lastIndexOf(':');
    attributes['rpc.system.name'] = 'grpc';
    // Of several endpoints nobody here knows which one was called.
    if (target.includes(',')) return attributes;
    attributes['server.address'] = colon < 0 ? target : target.slice(0, colon);
    if (colon >= 0) attributes['server.port'] = Number(target.slice(colon + 1));
  }
  return attributes;
}
