import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Phase } from '../../../src/core/verdict.ts';
import { createLog } from '../../../src/telemetry/access-log.ts';
import { RecordedTraces } from '../../../src/telemetry/recorded-traces.ts';
import { parseTraceparent } from '../../../src/telemetry/traceparent.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { attributesOf, Collector } from './collector.ts';
import { KeptLines } from './kept-lines.ts';
import { answer, refuse, sampleVariant, stranger } from './sample-request.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const ERROR = 2;

describe('spans at the collector', () => {
  let collector: Collector;
  let endpoint: string;
  let traces: RecordedTraces;
  let warnings: KeptLines;
  let counted: Record<string, number>;
  const clock = new FakeClock();

  const open = (endpoint: string, sampleRatio: number): RecordedTraces => {
    const log = createLog('warn', warnings);
    const count = (outcome: string, spans: number): void => {
      counted[outcome] = (counted[outcome] ?? 0) + spans;
    };
    return new RecordedTraces({ endpoint, sampleRatio }, { clock, log, version: '1.2.3', shutdownLimitMs: 200, count });
  };

  beforeEach(async () => {
    warnings = new KeptLines();
    counted = {};
    collector = new Collector();
    endpoint = await collector.listen();
    traces = open(endpoint, 0);
  });
  afterEach(async () => {
    await traces.shutdown();
    await collector.close();
  });

  /** Lives a whole life: begins, is filled in, ends, is exported. */
  const live = async (ctx: RequestContext, fill: (ctx: RequestContext) => void, durationUs = 2_300): Promise<void> => {
    traces.begin(ctx);
    fill(ctx);
    traces.end(ctx, durationUs);
    await traces.shutdown();
  };
  const sampled = (face: 'http' | 'grpc' = 'http', path = '/v2/models/digits/infer'): RequestContext =>
    stranger({ face, path, headers: { traceparent: SAMPLED } });

  it('joins the trace of the caller and hands the backend the id of the span of its call', async () => {
    const ctx = sampled();
    await live(ctx, answer);
    const server = collector.named('POST');
    const call = collector.named('infer');
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: SERVER });
    expect(call).toMatchObject({ traceId: TRACE, parentSpanId: server.spanId, kind: CLIENT });
    expect(ctx.traceparent).toBe(`00-${TRACE}-${call.spanId}-01`);
    expect(new Set(collector.spans.map((span) => span.spanId)).size).toBe(collector.spans.length);
    expect(collector.paths).toEqual(['/v1/traces']);
    expect(counted).toEqual({ exported: collector.spans.length });
  });

  it('is the root of a trace that it began', async () => {
    await traces.shutdown();
    traces = open(endpoint, 1);
    const ctx = stranger();
    await live(ctx, answer);
    expect(collector.named('POST').parentSpanId ?? '').toBe('');
    expect(parseTraceparent(ctx.traceparent)).toEqual({
      traceId: collector.named('POST').traceId,
      spanId: collector.named('infer').spanId,
      flags: 1,
    });
  });

  it('gives a span to each phase that took time, and to no other', async () => {
    await live(sampled(), answer);
    expect(collector.spans.map((span) => span.name).sort()).toEqual(['POST', 'infer', 'reply']);
    expect(collector.named('reply').kind).toBe(INTERNAL);
  });

  it('times spans from the wall clock at the start and the marks of the phases', async () => {
    await live(sampled(), answer);
    const startNano = BigInt(clock.wallMs()) * 1_000_000n;
    const times = (name: string): bigint[] => {
      const span = collector.named(name);
      return [BigInt(span.startTimeUnixNano) - startNano, BigInt(span.endTimeUnixNano) - startNano];
    };
    expect(times('POST')).toEqual([0n, 2_300_000n]);
    expect(times('infer')).toEqual([40_000n, 2_040_000n]);
    expect(times('reply')).toEqual([2_060_000n, 2_200_000n]);
  });

  it('speaks the semantic conventions for HTTP', async () => {
    await live(sampled(), answer);
    expect(attributesOf(collector.named('POST'))).toEqual({
      'http.request.method': 'POST',
      'url.path': '/v2/models/digits/infer',
      'http.response.status_code': 200,
      'sluice.request_id': 'req-1',
      'sluice.codec': 'oip',
      'sluice.tenant': 'acme',
      'sluice.model': 'digits',
      'sluice.variant': 'v1',
      'sluice.cache': 'miss',
    });
    expect(attributesOf(collector.named('infer'))).toEqual({
      'sluice.variant': 'v1',
      'sluice.attempts': 1,
      'sluice.backend.kind': 'grpc',
      'rpc.system.name': 'grpc',
      'server.address': 'triton.internal',
      'server.port': 8001,
    });
    expect(collector.resource).toMatchObject({ 'service.name': 'sluice', 'service.version': '1.2.3' });
  });

  it('speaks the semantic conventions for gRPC', async () => {
    await live(sampled('grpc', '/inference.GRPCInferenceService/ModelInfer'), answer);
    expect(attributesOf(collector.named('inference.GRPCInferenceService/ModelInfer'))).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': 'inference.GRPCInferenceService/ModelInfer',
      'rpc.status_code': 'OK',
    });
  });

  it('names no path that a caller made up', async () => {
    const ctx = stranger({ face: 'grpc', path: '/made/up', headers: { traceparent: SAMPLED } }, { fault: Fault.NotFound });
    await live(ctx, (refused) => {
      answer(refused);
      refuse(refused, Fault.NotFound, Phase.Admit);
    });
    expect(attributesOf(collector.named('_OTHER'))['rpc.method']).toBe('_OTHER');
  });

  it('blames the span of the phase that failed, and the server span with it', async () => {
    await live(sampled(), (ctx) => {
      answer(ctx);
      ctx.answeredBy = null;
      refuse(ctx, Fault.BackendFailed, Phase.Infer);
    });
    for (const name of ['POST', 'infer']) {
      expect(attributesOf(collector.named(name))['error.type']).toBe('BACKEND_FAILED');
      expect(collector.named(name).status.code).toBe(ERROR);
    }
    expect(attributesOf(collector.named('POST'))['http.response.status_code']).toBe(502);
    expect(collector.named('reply').status.code ?? 0).toBe(0);
  });

  it('does not call it an error when the caller was wrong', async () => {
    await live(sampled(), (ctx) => refuse(answer(ctx), Fault.GuardBlocked, Phase.InspectInput));
    expect(attributesOf(collector.named('POST'))['error.type']).toBe('GUARD_BLOCKED');
    expect(collector.named('POST').status.code ?? 0).toBe(0);
  });

  it('draws no peer for a model in its own process', async () => {
    await live(sampled(), (ctx) => answer(ctx, sampleVariant('v1', 'onnx')));
    expect(collector.named('infer').kind).toBe(INTERNAL);
    expect(attributesOf(collector.named('infer'))).not.toHaveProperty('server.address');
  });

  it('does not keep a trace because a stranger says so', async () => {
    await live(sampled(), (ctx) => refuse(ctx, Fault.KeyUnknown, Phase.Identify));
    expect(collector.spans).toEqual([]);
  });

  it('exports nothing of a trace that is not sampled', async () => {
    await live(stranger(), answer);
    expect(collector.paths).toEqual([]);
  });

  it('counts failed exports and tells of them once a minute', async () => {
    collector.status = 400;
    for (const advanceMs of [0, 59_000, 1_000]) {
      clock.advance(advanceMs);
      // Full batches leave at once, so that nothing here waits for a timer.
      const before = collector.paths.length;
      for (let i = 0; i < 171; i++) {
        const ctx = sampled();
        traces.begin(ctx);
        traces.end(answer(ctx), 2_300);
      }
      await expect.poll(() => collector.paths.length).toBeGreaterThan(before);
      await expect.poll(() => counted['failed']).toBeGreaterThanOrEqual(512 * collector.paths.length);
    }
    const lines = warnings.parsed;
    expect(lines.map((line) => line['msg'])).toEqual(['trace export failed', 'trace export failed']);
    expect(lines.map((line) => line['exports'])).toEqual([1, 2]);
  });

  it('gives up on a collector that does not answer when the process is to end', async () => {
    collector.hangs = true;
    await live(sampled(), answer);
    expect(counted).toEqual({});
  });
});
