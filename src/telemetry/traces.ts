import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { RequestContext } from '../core/context.ts';
import type { Log } from './access-log.ts';
import type { SpanOutcome } from './metrics.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';
import { passedTracestate } from './tracestate.ts';

export type OtlpConfig = NonNullable<Config['telemetry']['otlp']>;

/** What becomes of the trace a request belongs to. */
export interface Traces {
  /** Sets `ctx.traceparent` and `ctx.tracestate`, and `ctx.span` where the trace is kept. */
  begin(ctx: RequestContext): void;
  end(ctx: RequestContext, durationUs: number): void;
  /** Sends what waits, for a bounded time. Never rejects. */
  shutdown(): Promise<void>;
}

export interface TraceParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Longest that `shutdown` waits for the collector. */
  readonly shutdownLimitMs: number;
  /** Hears what became of spans. */
  readonly count: (outcome: SpanOutcome, spans: number) => void;
}

/** OpenTelemetry is loaded only where config asks for it: it is the largest package of all and costs start-up time and memory. */
export async function openTraces(config: OtlpConfig | null, parts: TraceParts): Promise<Traces> {
  if (config === null) return new PassedTraces();
  const { RecordedTraces } = await import('./recorded-traces.ts');
  return new RecordedTraces(config, parts);
}

/** Takes no part: a caller's trace goes on to the backend as it came, and whatever is not one goes no further. */
export class PassedTraces implements Traces {
  /** @hot */
  begin(ctx: RequestContext): void {
    const value = ctx.head.header('traceparent');
    if (value === '') return;
    const parent = parseTraceparent(value);
    if (parent === null) return;
    // A later version is passed on as the one we know: nothing goes to a backend that was not looked at.
    ctx.tracestate = passedTracestate(ctx.head.header('tracestate'));
    ctx.traceparent = value.startsWith('00') ? value : formatTraceparent(parent.traceId, parent.spanId, parent.flags);
  }

  end(): void {}

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
