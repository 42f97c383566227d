import type { RequestContext } from './context.ts';
import type { Ruling } from './guard.ts';

/** The only writer of request metrics, log lines and spans. Called at the two ends of a request. */
export interface Observer {
  /** Before the first phase: reads and sets `ctx.traceparent`, `ctx.tracestate` and `ctx.span`. */
  opened(ctx: RequestContext): void;
  /** After the last; once. */
  finished(ctx: RequestContext): void;
}

/** Counters that mechanisms raise outside the life of one request. Rows are prepared; nothing here allocates. */
export interface Tally {
  ruling(model: string, side: 'input' | 'output', guard: string, ruling: Ruling): void;
  /** One call begun to a variant's backend, and how it ended: a fault's code, or empty. */
  attempt(model: string, variant: string, faultCode: string, durationUs: number): void;
  /** What became of a shadow copy. */
  shadow(model: string, variant: string, outcome: ShadowOutcome): void;
  batch(model: string, variant: string, rows: number): void;
  /** A request refused because this process is at a limit. */
  overloaded(reason: OverloadReason): void;
}

/** Which limit: short of memory, a late event loop, requests or bytes in flight, or no word from the ledgers of all processes. */
export type OverloadReason = 'memory' | 'event_loop' | 'requests' | 'bytes' | 'leases';

/** `agreed` and `disagreed` compare the argmax of the first output; `incomparable` has none to compare. */
export type ShadowOutcome = 'dropped' | 'failed' | 'agreed' | 'disagreed' | 'incomparable';
