import { afterAll, describe, expect, it } from 'vitest';
import { CATALOGUE, METRIC_PREFIX, type MetricSpec, metricsDocs } from '../../../src/telemetry/catalogue.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { SupervisorMetrics } from '../../../src/telemetry/supervisor-metrics.ts';

const specs = Object.values<MetricSpec>(CATALOGUE);

describe('metric catalogue', () => {
  const metrics = new Metrics({ version: '1.2.3' });
  afterAll(() => metrics.close());

  const supervisor = new SupervisorMetrics({
    workers: () => [],
    generation: () => 1,
    compared: () => Promise.resolve([]),
    rollouts: () => [],
    webhookQueue: () => 0,
    audit: () => ({ seq: 1, problem: '' }),
  });

  it('lists exactly the metrics that are registered, besides those of the process', () => {
    const registered = [...metrics.names(), ...supervisor.names()].filter((name) => !/^(process|nodejs)_/.test(name));
    expect(registered.sort()).toEqual(specs.map((spec) => spec.name).sort());
  });

  it('names every metric and label as Prometheus allows', () => {
    for (const spec of specs) {
      expect(spec.name).toMatch(/^sluice_[a-z_]+$/);
      expect(spec.name.startsWith(METRIC_PREFIX)).toBe(true);
      for (const label of spec.labels) expect(label).toMatch(/^[a-z_]+$/);
      expect(spec.name.endsWith('_total')).toBe(spec.kind === 'counter');
    }
  });

  it('gives buckets in ascending order to histograms alone', () => {
    for (const spec of specs) {
      expect(spec.buckets.length > 0).toBe(spec.kind === 'histogram');
      expect([...spec.buckets].sort((a, b) => a - b)).toEqual([...spec.buckets]);
      expect(new Set(spec.buckets).size).toBe(spec.buckets.length);
    }
  });

  it('documents each metric in one row', () => {
    const rows = metricsDocs().trimEnd().split('\n').slice(2);
    expect(rows.map((row) => row.split('`')[1])).toEqual(specs.map((spec) => spec.name));
    for (const row of rows) expect(row.split(' | ')).toHaveLength(4);
  });
});
