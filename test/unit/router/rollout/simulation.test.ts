import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../scripts/models/seeded-random.ts';
import { CALLER_KINDS } from '../../../../scripts/sim-judge/callers.ts';
import { fixedHorizon } from '../../../../scripts/sim-judge/optimum.ts';
import { HARM_CASES, harmlessScene, harmScene } from '../../../../scripts/sim-judge/plan.ts';
import { runRollout } from '../../../../scripts/sim-judge/rollout-run.ts';
import { sumCells } from '../../../../src/router/rollout/cell-sums.ts';
import { OneShare } from '../../../../src/router/rollout/one-share.ts';

/** A few of the rollouts of `npm run sim:judge`, so that a slip in the judge is seen before all of them are run. */

describe('simulated rollouts', () => {
  it.each(CALLER_KINDS)('without harm are not rolled back: %s callers', (kind) => {
    for (let run = 0; run < 6; run++) expect(runRollout(harmlessScene(kind, run)).end).not.toBe('rolled-back');
  });

  it('without harm reach all traffic where requests are independent', () => {
    for (let run = 0; run < 4; run++) expect(runRollout(harmlessScene('independent', run)).end).toBe('completed');
  });

  it.each(HARM_CASES.filter((of) => of.size === 'great'))(
    'with great harm by $metric are rolled back at the first step',
    (of) => {
      for (let run = 0; run < 10; run++) {
        const end = runRollout(harmScene(of, 'independent', run));
        expect(end).toMatchObject({ end: 'rolled-back', step: 0, harmed: [of.metric] });
        expect(end.badAnswers).toBeLessThan(120);
        expect(end.requests).toBeGreaterThanOrEqual(1);
      }
    },
  );

  it('give the same numbers for the same seed', () => {
    const scene = harmScene(HARM_CASES[1]!, 'bursty', 3);
    expect(runRollout(scene)).toEqual(runRollout(scene));
  });

  it('have a yardstick for each harm that is less for more harm', () => {
    const yards = HARM_CASES.map(fixedHorizon);
    for (let i = 0; i < yards.length; i += 3) expect(yards.slice(i, i + 3)).toEqual(yards.slice(i, i + 3).sort((a, b) => b - a));
  });
});

describe('a share looked at after every pair', () => {
  it('is said to be beyond what it just is no more often than stated', () => {
    const random = new SeededRandom(77);
    let said = 0;
    for (let run = 0; run < 200; run++) {
      const [counts, totals] = [new Float64Array(512), new Float64Array(512)];
      for (let look = 0; look < 300; look++) {
        const cell = random.below(512);
        counts[cell]! += 1;
        totals[cell]! += random.next() < 0.05 ? 1 : 0;
        if (look % 3 !== 0) continue;
        if (new OneShare(sumCells(counts, totals, 1), 0.05).capital(0.05, 'beyond') < -Math.log(0.1)) continue;
        said++;
        break;
      }
    }
    expect(said / 200).toBeLessThanOrEqual(0.1);
  });
});
