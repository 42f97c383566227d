import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeakLatency } from '../../../../src/router/endpoints/peak-latency.ts';

describe('the latency of an endpoint', () => {
  it('is never below zero and never above the slowest there was, whatever comes in whatever order', () => {
    const event = fc.record({ us: fc.double({ min: 0, max: 1e9, noNaN: true }), afterMs: fc.nat(100_000), answer: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const latency = new PeakLatency();
        let nowMs = 0;
        let slowest = 0;
        for (const { us, afterMs, answer } of events) {
          nowMs += afterMs;
          const before = latency.at(nowMs);
          if (answer) latency.observe(us, nowMs);
          else latency.raise(us, nowMs);
          slowest = Math.max(slowest, us);
          const after = latency.at(nowMs);
          expect(after).toBeGreaterThanOrEqual(us * (1 - 1e-9));
          expect(after).toBeLessThanOrEqual(slowest * (1 + 1e-9));
          if (!answer) expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-9));
          expect(latency.at(nowMs + 1_000)).toBeLessThanOrEqual(after);
        }
      }),
    );
  });

  it('counts a slow answer in full at once and forgets it bit by bit', () => {
    const latency = new PeakLatency();
    latency.observe(1_000, 0);
    latency.observe(50_000, 10);
    expect(latency.at(10)).toBe(50_000);
    for (let nowMs = 11; nowMs < 1_000; nowMs++) latency.observe(1_000, nowMs);
    expect(latency.at(1_000)).toBeGreaterThan(40_000);
    for (let nowMs = 1_000; nowMs < 60_000; nowMs += 10) latency.observe(1_000, nowMs);
    expect(latency.at(60_000)).toBeLessThan(1_300);
  });

  it('wears off in time alone, so that a slow endpoint is asked again some day', () => {
    const latency = new PeakLatency();
    latency.observe(100_000, 0);
    expect(latency.at(10_000) / 100_000).toBeCloseTo(1 / Math.E, 6);
  });
});
