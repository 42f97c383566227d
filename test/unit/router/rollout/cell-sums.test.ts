import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumCells } from '../../../../src/router/rollout/cell-sums.ts';

const cells = fc.array(fc.record({ count: fc.integer({ min: 0, max: 50 }), total: fc.integer({ min: 0, max: 80 }) }), {
  minLength: 1,
  maxLength: 40,
});

/** By definition: each cell left out in turn. */
function naive(counted: readonly { readonly count: number; readonly total: number }[]) {
  const kept = counted.filter((one) => one.count > 0).map(({ count, total }) => ({ count, total: Math.min(total, count) }));
  const ratio = (of: typeof kept): number =>
    of.reduce((sum, one) => sum + one.total, 0) / of.reduce((sum, one) => sum + one.count, 0);
  const mean = kept.length > 0 ? ratio(kept) : 0;
  const left = kept.length > 1 ? kept.map((_, i) => ratio(kept.filter((__, j) => j !== i))) : [];
  const variance = ((kept.length - 1) / kept.length) * left.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { cells: kept.length, mean, variance };
}

const of = (counted: readonly { readonly count: number; readonly total: number }[]) =>
  sumCells(
    Float64Array.from(counted, (one) => one.count),
    Float64Array.from(counted, (one) => one.total),
    1,
  );

describe('the sums over cells', () => {
  it('are those of leaving out each cell in turn', () => {
    fc.assert(
      fc.property(cells, (counted) => {
        const [sums, expected] = [of(counted), naive(counted)];
        expect(sums.cells).toBe(expected.cells);
        expect(sums.mean).toBeCloseTo(expected.mean, 9);
        if (expected.cells > 1) expect(sums.variance).toBeCloseTo(expected.variance, 9);
        else expect(sums.variance).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });

  it('count one busy caller as one cell, whatever the others do', () => {
    const counted = [{ count: 1e6, total: 0 }, ...Array.from({ length: 100 }, () => ({ count: 1, total: 0 }))];
    expect(of(counted).effectiveCells).toBeLessThan(1.001);
    expect(of(counted).evened.effectiveCells).toBeLessThan(1.1);
    expect(of(Array.from({ length: 64 }, () => ({ count: 7, total: 1 }))).effectiveCells).toBeCloseTo(64);
  });

  it('hear the small cells when a giant is cut down to the mean', () => {
    const counted = [{ count: 60, total: 0 }, ...Array.from({ length: 59 }, () => ({ count: 1, total: 1 }))];
    const { evened, mean } = of(counted);
    expect(evened.effectiveCells).toBeGreaterThan(55);
    expect(evened.mean).toBeGreaterThan(0.95);
    expect(evened.kept * evened.mean).toBeLessThanOrEqual(mean + 1e-12);
  });

  it('leave out cells that hold no numbers, and cut totals to their counts', () => {
    const counts = Float64Array.of(10, Number.NaN, -3, 10, Number.POSITIVE_INFINITY, 10);
    const totals = Float64Array.of(2, 1, 1, Number.NEGATIVE_INFINITY, 1, 99);
    expect(sumCells(counts, totals, 1)).toMatchObject({ count: 20, mean: 12 / 20, cells: 2 });
  });

  it('are nothing where nothing was counted', () => {
    expect(of([{ count: 0, total: 0 }])).toMatchObject({ count: 0, mean: 0, cells: 0 });
  });
});
