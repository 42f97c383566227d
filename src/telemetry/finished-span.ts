import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';

/** What all spans of this process share. */
export interface SpanSource {
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
}

/** What one span says. Times are microseconds since the trace's own start. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | null;
  readonly startUs: number;
  readonly endUs: number;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
}

const NO_LINKS: Link[] = [];
const NO_EVENTS: TimedEvent[] = [];

/** A span that is over, as exporters read it. */
export class FinishedSpan implements ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links = NO_LINKS;
  readonly events = NO_EVENTS;
  readonly ended = true;
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  readonly #context: SpanContext;

  constructor(source: SpanSource, wallMs: number, facts: SpanFacts) {
    this.resource = source.resource;
    this.instrumentationScope = source.instrumentationScope;
    this.name = facts.name;
    this.kind = facts.kind;
    this.#context = facts.context;
    if (facts.parent !== null) this.parentSpanContext = facts.parent;
    this.startTime = hrTime(wallMs, facts.startUs);
    this.endTime = hrTime(wallMs, facts.endUs);
    this.duration = hrTime(0, facts.endUs - facts.startUs);
    this.status = facts.status;
    this.attributes = facts.attributes;
  }

  spanContext(): SpanContext {
    return this.#context;
  }
}

/** Seconds and nanoseconds. The parts are kept apart until the end: nanoseconds since 1970 are more than a double holds exactly. */
export function hrTime(wallMs: number, offsetUs: number): HrTime {
  const wholeMs = Math.floor(offsetUs / 1000);
  const ms = wallMs + wholeMs;
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1e6 + Math.round((offsetUs - wholeMs * 1000) * 1000);
  return nanos < 1e9 ? [seconds, nanos] : [seconds + 1, nanos - 1e9];
}
