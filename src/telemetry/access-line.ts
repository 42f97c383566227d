import type { RequestContext } from '../core/context.ts';
import type { FaultKind } from '../core/faults.ts';
import { PHASE_NAMES } from '../core/verdict.ts';
import type { LineBytes } from './line-bytes.ts';
import { MAX_TEXT, type RequestKind } from './request-kind.ts';

/** Room that a line needs at most besides its kind: texts of six bytes a character, and numbers with what stands between them. */
export const MAX_LINE_BYTES = 5 * 6 * MAX_TEXT + 2_048;

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * The one line that a request leaves in the log: a JSON object and its line feed. It names who asked for what and how it went; never a
 * body, a key or a query, since those hold what people said and what they prove themselves with.
 *
 * @hot
 */
export function writeAccessLine(
  out: LineBytes,
  ctx: RequestContext,
  kind: RequestKind,
  durationUs: number,
  wallMs: number,
): void {
  out.raw(HEADS[levelOf(ctx)]);
  out.integer(wallMs);
  out.raw(REQUEST_ID);
  out.text(ctx.requestId, MAX_TEXT);
  if (ctx.traceparent !== '') {
    out.raw(TRACE_ID);
    out.text(ctx.traceparent.slice(3, 35), MAX_TEXT);
  }
  out.raw(QUOTE);
  out.raw(kind.line);
  if (ctx.principal !== null) {
    out.raw(KEY_ID);
    out.text(ctx.principal.keyId, MAX_TEXT);
    out.raw(QUOTE);
  }
  writeResult(out, ctx, durationUs);
  if (ctx.fault !== null) writeFault(out, ctx, ctx.fault);
  out.raw(PHASES);
  writePhases(out, ctx.marksUs);
  out.raw(END);
}

/** What callers get wrong is news to them alone: a failing backend is a warning, our own fault an error. Health probes are noise. @hot */
export function levelOf(ctx: RequestContext): LineLevel {
  if (ctx.fault === null) return ctx.match.open ? 'debug' : 'info';
  if (ctx.fault.blame === 'client') return 'info';
  return ctx.fault.blame === 'upstream' ? 'warn' : 'error';
}

const HEADS: Readonly<Record<LineLevel, Uint8Array>> = Object.freeze({
  debug: Buffer.from('{"level":"debug","time":'),
  info: Buffer.from('{"level":"info","time":'),
  warn: Buffer.from('{"level":"warn","time":'),
  error: Buffer.from('{"level":"error","time":'),
});
const REQUEST_ID = Buffer.from(',"request_id":"');
const TRACE_ID = Buffer.from('","trace_id":"');
const KEY_ID = Buffer.from(',"key_id":"');
const QUOTE = Buffer.from('"');
const PHASES = Buffer.from(',"phase_us":{');
const END = Buffer.from('},"msg":"request"}\n');

const STATUS = Buffer.from(',"status":');
const GRPC_STATUS = Buffer.from(',"grpc_status":');
const DURATION_US = Buffer.from(',"duration_us":');
const ATTEMPTS = Buffer.from(',"attempts":');
const ROWS = Buffer.from(',"rows":');
const BYTES_IN = Buffer.from(',"bytes_in":');
const BYTES_OUT = Buffer.from(',"bytes_out":');
const COST = Buffer.from(',"cost_nano_usd":');
const GONE = Buffer.from(',"gone":true');
const STAYED = Buffer.from(',"gone":false');
const FLAGS = Buffer.from(',"flags":"');

function writeResult(out: LineBytes, ctx: RequestContext, durationUs: number): void {
  const { fault, reply, usage, flags } = ctx;
  const http = ctx.head.face === 'http';
  out.raw(http ? STATUS : GRPC_STATUS);
  // A reply that was never encoded still says 200, so a fault speaks for itself.
  if (fault === null) out.integer(http ? reply.status : reply.grpc);
  else out.integer(http ? fault.http : fault.grpc);
  out.raw(DURATION_US);
  out.integer(durationUs);
  out.raw(ATTEMPTS);
  out.integer(ctx.attempts);
  out.raw(ROWS);
  out.integer(usage.rows);
  out.raw(BYTES_IN);
  out.integer(usage.inputBytes);
  out.raw(BYTES_OUT);
  out.integer(usage.outputBytes);
  out.raw(COST);
  out.integer(ctx.cost);
  out.raw(ctx.gone ? GONE : STAYED);
  if (flags.length === 0) return;
  out.raw(FLAGS);
  out.text(flags.join(','), MAX_TEXT);
  out.raw(QUOTE);
}

const FAULT = Buffer.from(',"fault":"');
const FAULT_PHASE = Buffer.from('","fault_phase":"');
const BLAME = Buffer.from('","blame":"');
const DETAIL = Buffer.from('","detail":"');

function writeFault(out: LineBytes, ctx: RequestContext, fault: FaultKind): void {
  out.raw(FAULT);
  out.text(fault.code, MAX_TEXT);
  out.raw(FAULT_PHASE);
  out.text(PHASE_NAMES[ctx.faultPhase]!, MAX_TEXT);
  out.raw(BLAME);
  out.text(fault.blame, MAX_TEXT);
  if (ctx.faultDetail !== '') {
    out.raw(DETAIL);
    out.text(ctx.faultDetail, MAX_TEXT);
  }
  out.raw(QUOTE);
}

/** A phase as the first of those that ran, and as one after it. */
const FIRST_PHASES: readonly Uint8Array[] = PHASE_NAMES.map((name) => Buffer.from(`"${name}":`));
const NEXT_PHASES: readonly Uint8Array[] = PHASE_NAMES.map((name) => Buffer.from(`,"${name}":`));

/** Microseconds spent in each phase that ran. */
function writePhases(out: LineBytes, marksUs: readonly number[]): void {
  let keys = FIRST_PHASES;
  let beforeUs = 0;
  for (let phase = 0; phase < PHASE_NAMES.length; phase++) {
    const markUs = marksUs[phase]!;
    if (markUs === 0) continue;
    out.raw(keys[phase]!);
    out.integer(markUs - beforeUs);
    beforeUs = markUs;
    keys = NEXT_PHASES;
  }
}
