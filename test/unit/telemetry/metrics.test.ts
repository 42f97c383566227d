import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EndpointView } from '../../../src/core/endpoints.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Ruling } from '../../../src/core/guard.ts';
import type { Route } from '../../../src/core/traffic.ts';
import type { NanoUsd } from '../../../src/core/units.ts';
import { Phase } from '../../../src/core/verdict.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { answer, refuse, samplePrincipal, sampleRoute, sampleVariant, stranger } from './sample-request.ts';

describe('Metrics', () => {
  let metrics: Metrics;
  beforeEach(() => {
    metrics = new Metrics({ version: '1.2.3' });
  });
  afterEach(() => metrics.close());

  /** Sample lines of one metric that are not zero, without its prefix. */
  const shown = async (name: string): Promise<string[]> => {
    const lines = (await metrics.text()).split('\n');
    return lines.filter((line) => line.startsWith(`sluice_${name}`) && !line.endsWith(' 0')).map((line) => line.slice(7));
  };

  it('counts an answered request once, with its cost, bytes and time', async () => {
    const ctx = answer(stranger());
    metrics.requestOpened(ctx);
    metrics.requestFinished(ctx, 2_400);
    expect(await shown('requests_total')).toEqual([
      'requests_total{face="http",codec="oip",model="digits",variant="v1",outcome="ok"} 1',
    ]);
    expect(await shown('cost_nano_usd_total')).toEqual(['cost_nano_usd_total{tenant="acme",model="digits",variant="v1"} 1500']);
    expect(await shown('request_bytes_total')).toEqual(['request_bytes_total{model="digits"} 640']);
    expect(await shown('response_bytes_total')).toEqual(['response_bytes_total{model="digits"} 80']);
    expect(await shown('request_duration_seconds_sum')).toEqual([
      'request_duration_seconds_sum{model="digits",variant="v1",outcome="ok"} 0.0024',
    ]);
    expect(await shown('cache_requests_total')).toEqual(['cache_requests_total{model="digits",result="miss"} 1']);
    expect(await shown('faults_total')).toEqual([]);
  });

  it('gives each phase the time since the one that ran before it', async () => {
    metrics.requestFinished(answer(stranger()), 2_400);
    const sums = await shown('phase_duration_seconds_sum');
    expect(sums).toContain('phase_duration_seconds_sum{phase="infer"} 0.002');
    expect(sums).toContain('phase_duration_seconds_sum{phase="identify"} 0.000005');
    expect(await shown('phase_duration_seconds_count')).toHaveLength(11);
  });

  it('keeps names that strangers sent out of every label', async () => {
    const ctx = stranger({ path: '/v2/models/evil-name/infer' }, { model: 'evil-name' });
    metrics.requestFinished(refuse(ctx, Fault.NotFound, Phase.Authorise), 100);
    expect(await metrics.text()).not.toContain('evil-name');
    expect(await shown('requests_total')).toEqual([
      'requests_total{face="http",codec="oip",model="",variant="",outcome="client"} 1',
    ]);
    expect(await shown('faults_total')).toEqual(['faults_total{code="NOT_FOUND",phase="authorise",model=""} 1']);
    expect(await shown('cache_requests_total')).toEqual([]);
  });

  it('books a fallback under the variant that answered', async () => {
    const ctx = answer(stranger({ face: 'grpc' }));
    ctx.variant = sampleVariant('v2');
    metrics.requestFinished(ctx, 1);
    expect(await shown('requests_total')).toEqual([
      'requests_total{face="grpc",codec="oip",model="digits",variant="v1",outcome="ok"} 1',
    ]);
  });

  it.each([
    [Fault.RateLimited, 'client'],
    [Fault.BackendFailed, 'upstream'],
    [Fault.Bug, 'gateway'],
  ])('names who is to blame for %o', async (kind, outcome) => {
    metrics.requestFinished(refuse(stranger(), kind, Phase.Admit), 1);
    expect((await shown('requests_total'))[0]).toContain(`outcome="${outcome}"`);
  });

  it('shows the requests in flight by face', async () => {
    const ctx = answer(stranger());
    metrics.requestOpened(ctx);
    metrics.requestOpened(stranger());
    metrics.requestOpened(stranger({ face: 'grpc' }));
    metrics.requestFinished(ctx, 1);
    expect(await shown('requests_in_flight')).toEqual(['requests_in_flight{face="http"} 1', 'requests_in_flight{face="grpc"} 1']);
  });

  it('books no cost for a tenant who paid nothing', async () => {
    const ctx = answer(stranger());
    ctx.cost = 0 as NanoUsd;
    ctx.principal = samplePrincipal('poor');
    metrics.requestFinished(ctx, 1);
    expect(await shown('cost_nano_usd_total')).toEqual([]);
  });

  it('counts what mechanisms raise', async () => {
    metrics.ruling('digits', 'input', 'no-pii', Ruling.Block);
    metrics.ruling('digits', 'output', 'no-pii', Ruling.Flag);
    metrics.ruling('digits', 'input', 'no-pii', Ruling.Block);
    metrics.attempt('digits', 'v1', '', 3_000);
    metrics.attempt('digits', 'v1', 'NO_VARIANT', 0);
    metrics.shadow('digits', 's1', 'agreed');
    metrics.batch('digits', 'v1', 3);
    metrics.rejected('MALFORMED');
    metrics.rejected('MALFORMED');
    metrics.spans('dropped', 4);
    metrics.overloaded('memory');
    expect(await shown('guard_rulings_total')).toEqual([
      'guard_rulings_total{model="digits",side="input",guard="no-pii",ruling="block"} 2',
      'guard_rulings_total{model="digits",side="output",guard="no-pii",ruling="flag"} 1',
    ]);
    expect(await shown('backend_attempts_total')).toEqual([
      'backend_attempts_total{model="digits",variant="v1",code="OK"} 1',
      'backend_attempts_total{model="digits",variant="v1",code="NO_VARIANT"} 1',
    ]);
    expect(await shown('shadow_copies_total')).toEqual(['shadow_copies_total{model="digits",variant="s1",outcome="agreed"} 1']);
    expect(await shown('batch_rows_sum')).toEqual(['batch_rows_sum{model="digits",variant="v1"} 3']);
    expect(await shown('http_rejected_total')).toEqual(['http_rejected_total{code="MALFORMED"} 2']);
    expect((await shown('overload_refusals_total'))[0]).toBe('overload_refusals_total{reason="memory"} 1');
    expect(await shown('trace_spans_total')).toEqual(['trace_spans_total{outcome="dropped"} 4']);
  });

  it('leaves attempts without a call out of the backend times', async () => {
    metrics.attempt('digits', 'v1', '', 3_000);
    metrics.attempt('digits', 'v1', 'NO_VARIANT', 0);
    expect(await shown('backend_duration_seconds_count')).toEqual([
      'backend_duration_seconds_count{model="digits",variant="v1"} 1',
    ]);
  });

  it('reads the gauges from their sources at each scrape', async () => {
    const [stable, canary, shadow] = [sampleVariant('v1'), sampleVariant('v2'), sampleVariant('s1')];
    stable.state.readiness = { is: 'ready', signature: { platform: '', decoupled: false, inputs: [], outputs: [] } };
    let routes: Route[] = [sampleRoute('digits', [stable, canary], [shadow])];
    metrics.watch({
      bodyBytesInFlight: () => 11,
      cacheBytes: () => 22,
      cacheEntries: () => 33,
      shadowQueueLength: () => 44,
      pressure: () => ({ level: 2, memoryShare: 0.93 }),
      offloadQueueLength: () => 3,
      routes: () => routes,
    });
    metrics.watchLog({ linesDropped: 55 });
    expect(await shown('body_bytes_in_flight')).toEqual(['body_bytes_in_flight 11']);
    expect(await shown('cache_bytes')).toEqual(['cache_bytes 22']);
    expect(await shown('cache_entries')).toEqual(['cache_entries 33']);
    expect(await shown('shadow_queue_length')).toEqual(['shadow_queue_length 44']);
    expect(await shown('pressure_level')).toEqual(['pressure_level 2']);
    expect(await shown('memory_share')).toEqual(['memory_share 0.93']);
    expect(await shown('log_lines_dropped_total')).toEqual(['log_lines_dropped_total 55']);
    expect(await shown('variant_ready')).toEqual(['variant_ready{model="digits",variant="v1"} 1']);
    expect(await shown('plan_weight_bp')).toEqual([
      'plan_weight_bp{model="digits",variant="v1"} 9900',
      'plan_weight_bp{model="digits",variant="v2"} 100',
      'plan_weight_bp{model="digits",variant="s1"} 500',
    ]);
    expect(await shown('plan_revision')).toEqual(['plan_revision{model="digits"} 7']);
    expect(await shown('build_info')).toEqual(['build_info{version="1.2.3"} 1']);
    routes = [];
    expect(await shown('plan_weight_bp')).toEqual([]);
  });

  it('shows endpoints as they are, and no longer when they are gone, and counts ejections by reason', async () => {
    const variant = sampleVariant('v1');
    const view = { reason: '', ejectedForMs: 0, latencyMs: 1, ejections: 0 };
    const views: EndpointView[] = [
      { ...view, endpoint: 'a:1', state: 'slow-start', inFlight: 3 },
      { ...view, endpoint: 'b:1', state: 'ejected', inFlight: 2 },
    ];
    variant.state.endpoints = { views: () => views, hasOther: () => true };
    const nothing = (): number => 0;
    const watched = { bodyBytesInFlight: nothing, cacheBytes: nothing, cacheEntries: nothing, shadowQueueLength: nothing };
    const offloadQueueLength = nothing;
    const pressure = () => ({ level: 0, memoryShare: 0 }) as const;
    metrics.watch({ ...watched, offloadQueueLength, pressure, routes: () => [sampleRoute('digits', [variant])] });
    const labels = (endpoint: string): string => `{model="digits",variant="v1",endpoint="${endpoint}"}`;
    const text = await metrics.text();
    for (const line of [
      `sluice_endpoint_in_flight${labels('a:1')} 3`,
      `sluice_endpoint_in_flight${labels('b:1')} 2`,
      `sluice_endpoint_healthy${labels('a:1')} 1`,
      `sluice_endpoint_healthy${labels('b:1')} 0`,
    ]) {
      expect(text).toContain(line);
    }
    views.length = 0;
    expect(await metrics.text()).not.toContain('endpoint="a:1"');
    metrics.ejected('digits', 'v1', 'unreachable');
    metrics.ejected('digits', 'v1', 'unreachable');
    expect(await shown('endpoint_ejections_total')).toEqual([
      'endpoint_ejections_total{model="digits",variant="v1",reason="unreachable"} 2',
    ]);
  });

  it('shows the process beside its own', async () => {
    expect(await metrics.text()).toContain('process_cpu_seconds_total');
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('shows the delay of the event loop in seconds', async () => {
    const line = (await metrics.text()).split('\n').find((text) => text.startsWith('sluice_event_loop_delay_seconds'));
    const seconds = Number(line!.split(' ')[1]);
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(seconds).toBeLessThan(60);
  });
});
