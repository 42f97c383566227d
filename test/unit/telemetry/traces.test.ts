import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/telemetry/access-log.ts';
import { RecordedTraces } from '../../../src/telemetry/recorded-traces.ts';
import { TraceIds } from '../../../src/telemetry/trace-ids.ts';
import { parseTraceparent } from '../../../src/telemetry/traceparent.ts';
import { PassedTraces, type TraceParts } from '../../../src/telemetry/traces.ts';
import { tracesContract } from '../../support/contracts/traces-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { KeptLines } from './kept-lines.ts';
import { answer, stranger } from './sample-request.ts';

/** Nothing listens there, and nothing is sent: these tests end before a batch is due. */
const NOWHERE = 'http://127.0.0.1:9/v1/traces';

const quiet = createLog('silent', new KeptLines());
const parts: TraceParts = { clock: new FakeClock(), log: quiet, version: '1.2.3', shutdownLimitMs: 100, count: () => {} };
const request = (traceparent: string, tracestate = '') => stranger({ headers: { traceparent, tracestate } });

/** Draws that always fall on one side of any ratio but 0 and 1. */
const lowDraws = (): TraceIds => new TraceIds((pool) => pool.fill(1));
const highDraws = (): TraceIds => new TraceIds((pool) => pool.fill(254));

describe('PassedTraces', () => {
  tracesContract(() => new PassedTraces(), request);

  it('passes version 00 on unchanged, flags that nobody knows included', () => {
    const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fd';
    const ctx = request(header);
    new PassedTraces().begin(ctx);
    expect(ctx.traceparent).toBe(header);
  });

  it('begins no trace of its own', () => {
    const ctx = request('');
    new PassedTraces().begin(ctx);
    expect(ctx.traceparent).toBe('');
  });

  it('comes without loading anything of OpenTelemetry', () => {
    const module = (name: string): string => new URL(`../../../src/telemetry/${name}`, import.meta.url).href;
    const script = `import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
      await import('${module('observer.ts')}');
      const { openTraces } = await import('${module('traces.ts')}');
      await openTraces(null, null);
      console.log(JSON.stringify(seen));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const seen: string[] = JSON.parse(child.stdout);
    expect(seen.some((name) => name.endsWith('traceparent.ts'))).toBe(true);
    expect(seen.filter((name) => name.includes('opentelemetry') || name.includes('recorded-traces'))).toEqual([]);
  });
});

describe('RecordedTraces', () => {
  const open = (sampleRatio: number, ids?: TraceIds): RecordedTraces =>
    new RecordedTraces({ endpoint: NOWHERE, sampleRatio }, parts, ids);

  tracesContract(() => open(0), request);

  it('begins a trace where the caller has none, and keeps the share that config names', () => {
    for (const [ids, flags] of [
      [lowDraws(), 1],
      [highDraws(), 0],
    ] as const) {
      const ctx = request('');
      open(0.5, ids).begin(ctx);
      expect(parseTraceparent(ctx.traceparent)?.flags).toBe(flags);
      expect(ctx.span !== null).toBe(flags === 1);
    }
  });

  it('follows a sampled parent whatever the share is', () => {
    const ctx = request('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    open(0).begin(ctx);
    expect(ctx.span).not.toBeNull();
  });

  it('leaves a trace alone whose parent is not sampled', () => {
    const ctx = request('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00');
    open(1).begin(ctx);
    expect(ctx.span).toBeNull();
  });

  it('drops a whole trace when its queue is full', () => {
    const counted: [string, number][] = [];
    const traces = new RecordedTraces(
      { endpoint: NOWHERE, sampleRatio: 1 },
      { ...parts, count: (outcome, spans) => counted.push([outcome, spans]) },
    );
    // Three spans a request: the first batch of 512 leaves at once, so 4,608 fit.
    for (let i = 0; i < 1_600; i++) {
      const ctx = answer(request(''));
      traces.begin(ctx);
      traces.end(ctx, 2_300);
    }
    const dropped = counted.filter(([outcome]) => outcome === 'dropped');
    expect(dropped).toHaveLength(1_600 - Math.floor((4_096 + 512) / 3));
    expect(new Set(dropped.map(([, spans]) => spans))).toEqual(new Set([3]));
  });
});
