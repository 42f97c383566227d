import type { RequestContext } from '../core/context.ts';
import type { FaultKind } from '../core/faults.ts';
import { PHASE_NAMES } from '../core/verdict.ts';
import { JsonLine } from './json-line.ts';

/** Characters kept of what callers and backends may make long: paths, details. */
const MAX_TEXT = 200;
const MAX_METHOD = 16;

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The one line that a request leaves in the log. It names who asked for what and how it went; never a body, a key or a query, since
 * those hold what people said and what they prove themselves with.
 */
export class AccessLine {
  readonly #line = new JsonLine();

  /** A JSON object and its line feed. @hot */
  write(ctx: RequestContext, level: LineLevel, durationUs: number, wallMs: number): string {
    const line = this.#line;
    line.open(HEADS[level]);
    line.number('time', wallMs);
    this.#who(line, ctx);
    this.#result(line, ctx, durationUs);
    if (ctx.fault !== null) this.#fault(line, ctx, ctx.fault);
    line.raw('phase_us', phasesOf(ctx.marksUs));
    line.text('msg', 'request');
    return line.close();
  }

  #who(line: JsonLine, ctx: RequestContext): void {
    line.clipped('request_id', ctx.requestId, MAX_TEXT);
    if (ctx.traceparent !== '') line.text('trace_id', ctx.traceparent.slice(3, 35));
    line.text('face', ctx.head.face);
    line.text('codec', ctx.codec.name);
    line.clipped('method', ctx.head.method, MAX_METHOD);
    line.clipped('path', ctx.head.path, MAX_TEXT);
    if (ctx.principal !== null) {
      line.text('tenant', ctx.principal.tenant.id);
      line.text('key_id', ctx.principal.keyId);
    }
    if (ctx.route !== null) {
      const used = ctx.answeredBy === null ? ctx.variant : ctx.answeredBy;
      line.text('model', ctx.route.model);
      line.text('variant', used === null ? '' : used.name);
      line.text('cache', ctx.cacheResult);
    }
  }

  #result(line: JsonLine, ctx: RequestContext, durationUs: number): void {
    const { fault, reply, usage } = ctx;
    // A reply that was never encoded still says 200, so a fault speaks for itself.
    if (ctx.head.face === 'http') line.number('status', fault === null ? reply.status : fault.http);
    else line.number('grpc_status', fault === null ? reply.grpc : fault.grpc);
    line.number('duration_us', durationUs);
    line.number('attempts', ctx.attempts);
    line.number('rows', usage.rows);
    line.number('bytes_in', usage.inputBytes);
    line.number('bytes_out', usage.outputBytes);
    line.number('cost_nano_usd', ctx.cost);
    line.flag('gone', ctx.gone);
    if (ctx.flags.length > 0) line.clipped('flags', ctx.flags.join(','), MAX_TEXT);
  }

  #fault(line: JsonLine, ctx: RequestContext, fault: FaultKind): void {
    line.text('fault', fault.code);
    line.text('fault_phase', PHASE_NAMES[ctx.faultPhase]!);
    line.text('blame', fault.blame);
    if (ctx.faultDetail !== '') line.clipped('detail', ctx.faultDetail, MAX_TEXT);
  }
}

/** What callers get wrong is news to them alone: a failing backend is a warning, our own fault an error. Health probes are noise. */
export function levelOf(ctx: RequestContext): LineLevel {
  if (ctx.fault === null) return ctx.match.open ? 'debug' : 'info';
  if (ctx.fault.blame === 'client') return 'info';
  return ctx.fault.blame === 'upstream' ? 'warn' : 'error';
}

const HEADS: Readonly<Record<LineLevel, string>> = Object.freeze({
  debug: '"level":"debug"',
  info: '"level":"info"',
  warn: '"level":"warn"',
  error: '"level":"error"',
});

const PHASE_KEYS: readonly string[] = PHASE_NAMES.map((name) => `"${name}":`);

/** Microseconds spent in each phase that ran. */
function phasesOf(marksUs: readonly number[]): string {
  let json = '{';
  let beforeUs = 0;
  for (let phase = 0; phase < PHASE_KEYS.length; phase++) {
    const markUs = marksUs[phase]!;
    if (markUs === 0) continue;
    if (json.length > 1) json += ',';
    json += PHASE_KEYS[phase]! + Math.round(markUs - beforeUs);
    beforeUs = markUs;
  }
  return `${json}}`;
}
