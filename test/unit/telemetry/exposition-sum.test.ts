import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../../src/telemetry/catalogue.ts';
import { ExpositionSum } from '../../../src/telemetry/exposition-sum.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

type Values = Readonly<Record<string, number>>;

const NAMES = ['a_total', 'b_total'];
const values: fc.Arbitrary<Values> = fc.dictionary(
  fc.constantFrom(...NAMES.flatMap((name) => [`${name}{x="1"}`, `${name}{x="a b"}`, name])),
  fc.nat(1_000_000),
);

function exposition(kind: string, of: Values): string {
  return NAMES.map((name) => {
    const lines = Object.entries(of)
      .filter(([series]) => series.startsWith(name))
      .map(([series, value]) => `${series} ${value}`);
    return [`# HELP ${name} A text with # TYPE in it.`, `# TYPE ${name} ${kind}`, ...lines, ''].join('\n');
  }).join('\n');
}

function samplesOf(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

function summed(parts: readonly Values[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const part of parts) for (const [series, value] of Object.entries(part)) sums[series] = (sums[series] ?? 0) + value;
  return sums;
}

describe('ExpositionSum', () => {
  it('adds counters of the living and of those that are gone, as a plain sum would', () => {
    fc.assert(
      fc.property(fc.array(values), fc.array(values), (living, gone) => {
        const sum = new ExpositionSum();
        for (const each of gone) sum.retire(exposition('counter', each));
        expect(samplesOf(sum.total(living.map((each) => exposition('counter', each))))).toEqual(summed([...living, ...gone]));
        // Asked again, it says the same: what is gone is not counted twice.
        expect(samplesOf(sum.total([]))).toEqual(summed(gone));
      }),
    );
  });

  it('lets the gauges of those that are gone go, and joins the others by their meaning', () => {
    const { variantReady, planWeight, cacheBytes } = CATALOGUE;
    const gauges = (ready: number, weight: number, bytes: number): string =>
      [variantReady, planWeight, cacheBytes]
        .map(({ name }, i) => `# HELP ${name} x\n# TYPE ${name} gauge\n${name}{v="1"} ${[ready, weight, bytes][i]}\n`)
        .join('\n');
    const sum = new ExpositionSum();
    sum.retire(gauges(0, 9, 1_000));
    expect(samplesOf(sum.total([gauges(1, 500, 10), gauges(0, 500, 20)]))).toEqual({
      [`${variantReady.name}{v="1"}`]: 0,
      [`${planWeight.name}{v="1"}`]: 500,
      [`${cacheBytes.name}{v="1"}`]: 30,
    });
  });

  it('keeps histograms whole, and writes what a scraper reads', async () => {
    const metrics = new Metrics({ version: '1' });
    metrics.attempt('m', 'v', '', 5_000);
    const text = await metrics.text();
    const counters = await metrics.counterText();
    expect(counters).not.toContain(' gauge\n');
    const sum = new ExpositionSum();
    sum.retire(counters);
    const total = samplesOf(sum.total([text, text]));
    const series = `${CATALOGUE.backendSeconds.name}_bucket{le="+Inf",model="m",variant="v"}`;
    const count = Object.entries(total).find(
      ([name]) => name.startsWith(CATALOGUE.backendSeconds.name) && name.includes('_count'),
    );
    expect(count![1]).toBe(3);
    expect(total[series] ?? 3).toBe(3);
    metrics.close();
  });
});
