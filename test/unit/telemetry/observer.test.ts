import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Phase } from '../../../src/core/verdict.ts';
import { createLog } from '../../../src/telemetry/access-log.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { RequestObserver } from '../../../src/telemetry/observer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Collector } from './collector.ts';
import { KeptLines } from './kept-lines.ts';
import { answer, refuse, stranger } from './sample-request.ts';

type TelemetryConfig = Config['telemetry'];
const CONFIG: TelemetryConfig = { accessLog: true, logLevel: 'info', explainRequests: 4, otlp: null };

describe('RequestObserver', () => {
  let metrics: Metrics;
  let kept: KeptLines;
  const clock = new FakeClock();

  const open = (config: Partial<TelemetryConfig> = {}): RequestObserver => {
    const log = createLog('info', kept);
    return new RequestObserver({ config: { ...CONFIG, ...config }, clock, metrics, log });
  };

  beforeEach(() => {
    metrics = new Metrics({ version: '1.2.3' });
    kept = new KeptLines(3);
  });
  afterEach(() => metrics.close());

  it('counts, logs and times one request at its two ends', async () => {
    const observer = open();
    const ctx = stranger();
    ctx.startedUs = clock.nowUs();
    observer.opened(ctx);
    expect(await metrics.text()).toContain('sluice_requests_in_flight{face="http"} 1');
    clock.advance(3);
    observer.finished(answer(ctx));
    const text = await metrics.text();
    expect(text).toContain('sluice_requests_in_flight{face="http"} 0');
    expect(text).toContain('sluice_request_duration_seconds_sum{model="digits",variant="v1",outcome="ok"} 0.003');
    expect(text).toContain('sluice_log_lines_dropped_total 3');
    expect(JSON.parse(kept.text)).toMatchObject({ msg: 'request', duration_us: 3_000, time: clock.wallMs() });
  });

  it('passes a trace on without config for traces', () => {
    const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const ctx = stranger({ headers: { traceparent: header } });
    open().opened(ctx);
    expect(ctx.traceparent).toBe(header);
  });

  it('writes no access lines when config says so', () => {
    const observer = open({ accessLog: false });
    const ctx = stranger();
    observer.opened(ctx);
    observer.finished(refuse(ctx, Fault.Bug, Phase.Decode));
    expect(kept.text).toBe('');
  });

  it('records traces once their recorder is loaded, and those begun before do no harm', async () => {
    const collector = new Collector();
    const observer = open({ otlp: { endpoint: await collector.listen(), sampleRatio: 1 } });
    const early = stranger();
    observer.opened(early);
    await observer.ready();
    const ctx = stranger();
    observer.opened(ctx);
    observer.finished(answer(early));
    observer.finished(answer(ctx));
    await observer.shutdown();
    expect(collector.spans.filter((span) => span.name === 'POST')).toHaveLength(1);
    expect(await metrics.text()).toContain(`sluice_trace_spans_total{outcome="exported"} ${collector.spans.length}`);
    await collector.close();
  });

  it('flushes the log when it shuts down', async () => {
    await open().shutdown();
    expect(kept.flushes).toBe(1);
  });
});
