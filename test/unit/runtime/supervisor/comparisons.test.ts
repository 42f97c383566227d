import { describe, expect, it } from 'vitest';
import type { PlanView } from '../../../../src/core/control-plane.ts';
import type { PairReport } from '../../../../src/router/comparison/comparison-book.ts';
import { noFigures } from '../../../../src/router/comparison/pair-figures.ts';
import { Comparisons } from '../../../../src/runtime/supervisor/comparisons.ts';
import type { WorkerHandle } from '../../../../src/runtime/supervisor/worker-handle.ts';
import { policyOf } from '../../router/comparison/policies.ts';

const variant = (name: string, role: string): object => ({ name, role, attempts: 10, failures: 1 });
const PLAN = { model: 'm', revision: 1, variants: [variant('v1', 'stable'), variant('v2', 'canary')] } as unknown as PlanView;

const reportOf = (agreed: number, name = 'v2'): readonly PairReport[] => [
  { model: 'm', variant: name, figures: { ...noFigures(0), agreed }, disagreements: { seen: 0, items: [] } },
];

function comparisonsOf(...answers: readonly (readonly PairReport[] | Error)[]): Comparisons {
  const serving = answers.map((answer) => ({
    ask: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  }));
  return new Comparisons({
    // What a comparison asks of a worker is all that these can do.
    fleet: { serving: serving as unknown as readonly WorkerHandle[] },
    policy: (model) => (model === 'm' ? policyOf() : null),
    plans: () => Promise.resolve([PLAN]),
  });
}

describe('Comparisons', () => {
  it('are those of all workers that tell theirs', async () => {
    const view = await comparisonsOf(reportOf(3), new Error('silent'), reportOf(4)).read('m');
    expect(view).toMatchObject({
      model: 'm',
      stable: 'v1',
      agreeBy: 'argmax',
      pairs: [{ variant: 'v2', role: 'canary', agreed: 7 }],
    });
  });

  it('leave out a variant that is in the plan no more', async () => {
    expect((await comparisonsOf(reportOf(3, 'gone')).read('m'))!.pairs).toEqual([]);
  });

  it('say when there is no such model or variant', async () => {
    const comparisons = comparisonsOf(reportOf(1));
    expect(await comparisons.read('other')).toBeNull();
    expect(await comparisons.disagreements('other', '')).toBeNull();
    expect(await comparisons.disagreements('m', 'v9')).toBeNull();
    expect(await comparisons.disagreements('m', 'v2')).toEqual({ model: 'm', seen: 0, disagreements: [] });
  });

  it('are gauges as well', async () => {
    expect(await comparisonsOf(reportOf(3)).compared()).toEqual([{ model: 'm', variant: 'v2', agreement: 1, drifts: [] }]);
  });
});
