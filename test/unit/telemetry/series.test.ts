import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { MetricSpec } from '../../../src/telemetry/catalogue.ts';
import { CounterSeries, HistogramSeries } from '../../../src/telemetry/series.ts';

const counterSpec: MetricSpec = { name: 'c_total', kind: 'counter', help: 'Help.', labels: ['a', 'b'], buckets: [] };
const histogramSpec: MetricSpec = { name: 'h', kind: 'histogram', help: 'Help.', labels: ['a'], buckets: [1, 2.5, 10] };

const sampleLines = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('CounterSeries', () => {
  it('exposes each row under its labels', async () => {
    const registry = new Registry();
    const series = new CounterSeries(counterSpec, registry);
    series.row('x', 'y').add(2);
    series.row('x', '').add(0.5);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE c_total counter');
    expect(sampleLines(text)).toEqual(['c_total{a="x",b="y"} 2', 'c_total{a="x",b=""} 0.5']);
  });

  it('escapes what stands in a label', async () => {
    const registry = new Registry();
    new CounterSeries(counterSpec, registry).row('q"\\\n', 'y').add(1);
    expect(sampleLines(await registry.metrics())).toEqual(['c_total{a="q\\"\\\\\\n",b="y"} 1']);
  });
});

describe('HistogramSeries', () => {
  it('exposes cumulative buckets, sum and count', async () => {
    const registry = new Registry();
    const row = new HistogramSeries(histogramSpec, registry).row('x');
    for (const value of [0.5, 1, 2, 11]) row.observe(value);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE h histogram');
    expect(sampleLines(text)).toEqual([
      'h_bucket{a="x",le="1"} 2',
      'h_bucket{a="x",le="2.5"} 3',
      'h_bucket{a="x",le="10"} 3',
      'h_bucket{a="x",le="+Inf"} 4',
      'h_sum{a="x"} 14.5',
      'h_count{a="x"} 4',
    ]);
  });

  it('counts in each bucket what a naive count finds at or below its bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: -120, max: 120 }), { maxLength: 50 }),
        async (bounds, values) => {
          const buckets = [...bounds].sort((a, b) => a - b);
          const registry = new Registry();
          const row = new HistogramSeries({ ...histogramSpec, buckets }, registry).row('x');
          for (const value of values) row.observe(value);
          const found = sampleLines(await registry.metrics()).map((line) => Number(line.split(' ')[1]));
          const naive = buckets.map((bound) => values.filter((value) => value <= bound).length);
          const sum = values.reduce((total, value) => total + value, 0);
          expect(found).toEqual([...naive, values.length, sum, values.length]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives the same values to readers of JSON', async () => {
    const registry = new Registry();
    new HistogramSeries(histogramSpec, registry).row('x').observe(2);
    const [metric] = await registry.getMetricsAsJSON();
    expect(metric!.values.map((value) => value.value)).toEqual([0, 1, 1, 1, 2, 1]);
  });
});
