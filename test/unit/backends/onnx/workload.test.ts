import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, type RunOwner } from '../../../../src/backends/onnx/batch.ts';
import { type Parcel, Workload } from '../../../../src/backends/onnx/workload.ts';

const owner = (costUs: number): RunOwner => ({
  session: 1,
  signature: { platform: '', decoupled: false, inputs: [], outputs: [] },
  costUs,
  ran: () => undefined,
});

function add(work: Workload, run: number, costUs: number): Parcel | null {
  const sealed = work.isFullFor(costUs) ? work.seal() : null;
  work.add(new Batch(run, owner(costUs), []), { run, session: 1, buffer: new ArrayBuffer(0), shapes: [], places: [] });
  return sealed;
}

const result = (run: number) => ({ run, end: 'done' as const, error: '', computeUs: 1, outputs: [] });

describe('Workload', () => {
  it('lets a run of unknown or long duration travel alone, so that what follows can still be withdrawn', () => {
    for (const costUs of [0, 5_000]) {
      const work = new Workload();
      const parcels = [add(work, 1, costUs), add(work, 2, costUs)];
      expect(parcels.map((parcel) => parcel?.jobs.length ?? 0)).toEqual([0, 1]);
      expect(work.accepts(costUs)).toBe(false);
    }
  });

  it('puts short runs into one message', () => {
    const work = new Workload();
    for (let run = 1; run <= 10; run++) expect(add(work, run, 50)).toBeNull();
    expect(work.seal()!.jobs).toHaveLength(10);
  });

  it('never has more than two messages under way, nor more than their share in one, and knows each run once', () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('add' as const), costUs: fc.constantFrom(0, 1, 10, 400, 900, 3_000) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('seal' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const work = new Workload();
        const sent: Set<number>[] = [];
        const costs = new Map<number, number>();
        let run = 0;
        const send = (parcel: Parcel | null): void => {
          if (parcel === null) return;
          const fullUs = parcel.jobs.reduce((sum, job) => sum + (costs.get(job.run)! || 1_000), 0);
          expect(parcel.jobs.length === 1 || fullUs <= 1_000).toBe(true);
          expect(parcel.jobs.length).toBeLessThanOrEqual(64);
          sent.push(new Set(parcel.jobs.map((job) => job.run)));
        };
        for (const act of steps) {
          if (act.do === 'add' && work.accepts(act.costUs)) {
            costs.set(++run, act.costUs);
            send(add(work, run, act.costUs));
          } else if (act.do === 'seal') {
            send(work.seal());
          } else if (act.do === 'finish') {
            const runs = sent.flatMap((parcel) => [...parcel]);
            const ended = runs[act.pick % Math.max(1, runs.length)];
            if (ended === undefined) continue;
            expect(work.finish(result(ended))!.run).toBe(ended);
            expect(work.finish(result(ended))).toBeNull();
            for (const parcel of sent) parcel.delete(ended);
            costs.delete(ended);
          }
          expect(sent.filter((parcel) => parcel.size > 0).length).toBeLessThanOrEqual(2);
          expect(work.size).toBe(costs.size);
          expect(work.expectedUs).toBe([...costs.values()].reduce((sum, cost) => sum + (cost || 1_000), 0));
          expect(work.oldest?.run ?? null).toBe([...costs.keys()][0] ?? null);
        }
      }),
      { numRuns: 200 },
    );
  });
});
