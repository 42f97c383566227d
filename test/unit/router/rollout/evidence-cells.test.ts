import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELLS, type Watched } from '../../../../src/core/evidence.ts';
import { EvidenceCells } from '../../../../src/router/rollout/evidence-cells.ts';

const watched = (epoch: number, model = 'm'): Watched => ({ model, epoch, variants: ['v1', 'v2'] });

const ends = ['answered', 'cached', 'failed'] as const;
const notes = fc.array(
  fc.record({
    variant: fc.constantFrom('v1', 'v2', 'v9'),
    affinity: fc.integer({ min: 0, max: 0xffffffff }),
    end: fc.constantFrom(...ends),
    us: fc.double({ min: 0, max: 1e7, noNaN: true }),
    cost: fc.integer({ min: 0, max: 1_000 }),
  }),
  { maxLength: 60 },
);

describe('the evidence of a watched model', () => {
  it('is what a list of all notes would say, cell by cell', () => {
    fc.assert(
      fc.property(notes, (all) => {
        const cells = new EvidenceCells();
        cells.watch([watched(1)]);
        for (const { variant, affinity, end, us, cost } of all) cells.request('m', variant, affinity, end, us, cost);
        const { arms } = cells.read('m', 1)!;
        for (const [v, variant] of ['v1', 'v2'].entries()) {
          for (const cell of new Set([0, ...all.map(({ affinity }) => affinity % CELLS)])) {
            const of = all.filter((note) => note.variant === variant && note.affinity % CELLS === cell);
            const answered = of.filter(({ end }) => end === 'answered');
            const arm = arms[v]!;
            expect(arm.requests[cell]).toBe(of.length);
            expect(arm.failures[cell]).toBe(of.filter(({ end }) => end === 'failed').length);
            expect(arm.answered[cell]).toBe(answered.length);
            expect(arm.logUs[cell]).toBeCloseTo(
              answered.reduce((sum, { us }) => sum + Math.log(Math.max(1, us)), 0),
              6,
            );
            expect(arm.costNano[cell]).toBe(answered.reduce((sum, { cost }) => sum + cost, 0));
          }
        }
      }),
    );
  });

  it('counts pairs and disagreements by the caller', () => {
    const cells = new EvidenceCells();
    cells.watch([watched(1)]);
    cells.pair('m', 'v2', 7, true);
    cells.pair('m', 'v2', 7 + CELLS, false);
    const canary = cells.read('m', 1)!.arms[1]!;
    expect([canary.pairs[7], canary.disagreements[7]]).toEqual([2, 1]);
  });

  it('goes on under the same epoch and begins anew under another', () => {
    const cells = new EvidenceCells();
    const requests = (epoch: number): number | undefined => cells.read('m', epoch)?.arms[0]?.requests[3];
    cells.watch([watched(1)]);
    cells.request('m', 'v1', 3, 'cached', 0, 0);
    cells.watch([watched(1), watched(5, 'other')]);
    expect(requests(1)).toBe(1);
    cells.watch([watched(2)]);
    expect([requests(1), requests(2)]).toEqual([undefined, 0]);
    expect([cells.isWatched('m'), cells.isWatched('other')]).toEqual([true, false]);
  });

  it('drops what is not watched', () => {
    const cells = new EvidenceCells();
    cells.request('m', 'v1', 3, 'failed', 0, 0);
    cells.watch([watched(1)]);
    cells.watch([]);
    cells.pair('m', 'v2', 3, true);
    expect(cells.read('m', 1)).toBeNull();
  });
});
