import { describe, expect, it } from 'vitest';
import { TraceIds } from '../../../src/telemetry/trace-ids.ts';

describe('TraceIds', () => {
  it('makes ids of the right length that do not repeat, across many pools', () => {
    const ids = new TraceIds();
    const seen = new Set<string>();
    for (let i = 0; i < 1_000; i++) {
      const [trace, span] = [ids.traceId(), ids.spanId()];
      expect(trace).toMatch(/^[0-9a-f]{32}$/);
      expect(span).toMatch(/^[0-9a-f]{16}$/);
      seen.add(trace).add(span);
    }
    expect(seen.size).toBe(2_000);
  });

  it('never makes the id that means none', () => {
    const ids = new TraceIds((pool) => pool.fill(0));
    expect(ids.traceId()).not.toMatch(/^0+$/);
    expect(ids.spanId()).not.toMatch(/^0+$/);
  });

  it('draws shares from nought up to, and never, one', () => {
    expect(new TraceIds((pool) => pool.fill(0)).share()).toBe(0);
    expect(new TraceIds((pool) => pool.fill(255)).share()).toBeLessThan(1);
  });
});
