import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import type { NanoUsd } from '../../../src/core/units.ts';
import { PHASE_NAMES, type Phase } from '../../../src/core/verdict.ts';
import { levelOf, MAX_LINE_BYTES, writeAccessLine } from '../../../src/telemetry/access-line.ts';
import { LineBytes } from '../../../src/telemetry/line-bytes.ts';
import { RequestKinds } from '../../../src/telemetry/request-kind.ts';
import { samplePrincipal, sampleRoute, sampleVariant, stranger } from './sample-request.ts';

const kinds = new RequestKinds();

function lineOf(ctx: RequestContext, durationUs: number, wallMs: number): string {
  const kind = kinds.of(ctx);
  const out = new LineBytes(Buffer.alloc(MAX_LINE_BYTES + kind.line.length));
  writeAccessLine(out, ctx, kind, durationUs, wallMs);
  return out.bytes.toString('utf8', 0, out.length);
}

/** The same by way of an object. */
function naiveLine(ctx: RequestContext, durationUs: number, wallMs: number): string {
  const { head, fault, principal, route, usage } = ctx;
  const used = ctx.answeredBy ?? ctx.variant;
  const ran = PHASE_NAMES.map((name, phase) => ({ name, us: ctx.marksUs[phase]! })).filter(({ us }) => us !== 0);
  const line = {
    level: levelOf(ctx),
    time: wallMs,
    request_id: ctx.requestId.slice(0, 200),
    trace_id: ctx.traceparent === '' ? undefined : ctx.traceparent.slice(3, 35),
    face: head.face,
    codec: ctx.codec.name,
    method: head.method.slice(0, 16),
    path: head.path.slice(0, 200),
    tenant: principal?.tenant.id,
    model: route?.model,
    variant: route === null ? undefined : (used?.name ?? ''),
    cache: route === null ? undefined : ctx.cacheResult,
    key_id: principal?.keyId,
    status: head.face === 'http' ? (fault?.http ?? ctx.reply.status) : undefined,
    grpc_status: head.face === 'grpc' ? (fault?.grpc ?? ctx.reply.grpc) : undefined,
    duration_us: Math.round(durationUs),
    attempts: ctx.attempts,
    rows: usage.rows,
    bytes_in: usage.inputBytes,
    bytes_out: usage.outputBytes,
    cost_nano_usd: ctx.cost,
    gone: ctx.gone,
    flags: ctx.flags.length === 0 ? undefined : ctx.flags.join(',').slice(0, 200),
    fault: fault?.code,
    fault_phase: fault === null ? undefined : PHASE_NAMES[ctx.faultPhase],
    blame: fault?.blame,
    detail: fault === null || ctx.faultDetail === '' ? undefined : ctx.faultDetail.slice(0, 200),
    phase_us: Object.fromEntries(ran.map(({ name, us }, i) => [name, Math.round(us - (i === 0 ? 0 : ran[i - 1]!.us))])),
    msg: 'request',
  };
  const unsafe = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
  const unicode = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(line).replace(unsafe, unicode)}\n`;
}

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 300 }), fc.constant('\u0000'.repeat(300)));
const variants = ['v1', 'v2'].map((name) => sampleVariant(name));
const routes = ['digits', 'words'].map((model) => sampleRoute(model, variants));
const principals = ['acme', 'zeta'].flatMap((tenant) =>
  ['abcd1234', 'a"\n\u2028'].map((keyId) => ({ ...samplePrincipal(tenant), keyId })),
);
const orNull = <T>(values: readonly T[]): fc.Arbitrary<T | null> => fc.constantFrom(...values, null);

const requests = fc
  .record({
    face: fc.constantFrom('http' as const, 'grpc' as const),
    path: fc.oneof(fc.constantFrom('/v2/models/digits/infer', '/v2/models/words/infer'), anyText),
    method: fc.constantFrom('POST', 'GET', 'X'.repeat(40)),
    open: fc.boolean(),
    requestId: anyText,
    traceparent: fc.constantFrom('', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
    principal: orNull(principals),
    route: orNull(routes),
    variant: orNull(variants),
    answeredBy: orNull(variants),
    cacheResult: fc.constantFrom('hit' as const, 'miss' as const),
    fault: orNull([Fault.BadRequest, Fault.BackendFailed, Fault.Bug]),
    faultPhase: fc.integer({ min: 0, max: 11 }),
    faultDetail: anyText,
    flags: fc.array(anyText, { maxLength: 3 }),
    gone: fc.boolean(),
    numbers: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    cost: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    marks: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1e9, noNaN: true })), { minLength: 12, maxLength: 12 }),
  })
  .map(({ face, path, method, open, faultPhase, numbers, cost, marks, ...fields }): RequestContext => {
    const ctx = Object.assign(stranger({ face, path, method }, { open }), fields);
    [ctx.attempts, ctx.usage.rows, ctx.usage.inputBytes, ctx.usage.outputBytes] = numbers as [number, number, number, number];
    ctx.faultPhase = faultPhase as Phase;
    ctx.cost = cost as NanoUsd;
    let atUs = 0;
    for (const [phase, us] of marks.entries()) {
      if (us === 0) continue;
      atUs += us;
      ctx.marksUs[phase] = atUs;
    }
    return ctx;
  });

describe('access line', () => {
  it('is what an object of the same fields would be, byte for byte, whoever was told of before', () => {
    fc.assert(
      fc.property(requests, fc.double({ min: 0, max: 1e10, noNaN: true }), fc.nat({ max: 4e12 }), (ctx, durationUs, wallMs) => {
        expect(lineOf(ctx, durationUs, wallMs)).toBe(naiveLine(ctx, durationUs, wallMs));
      }),
      { numRuns: 500 },
    );
  });
});
