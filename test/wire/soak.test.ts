import { describe, expect, it } from 'vitest';
import { problemsOf, textOf } from '../../bench/soak/report.ts';
import { runSoak } from '../../bench/soak/run-soak.ts';
import { seeded } from '../support/seeded.ts';

/** Fifteen seconds of what `npm run soak:wire` does for ten minutes. */
const PERIODS = 2;
const PERIOD_MS = 7_500;
/** Half a minute, on a machine that does nothing else: each look at the whole heap takes seconds. */
const LIMIT_MS = 300_000;

describe('a gateway on the engine of our own, while connections die and servers come and go', () => {
  it(
    'gives every caller its own answer or a reason, and keeps nothing of it',
    async () => {
      const report = await runSoak({ periods: PERIODS, periodMs: PERIOD_MS, random: seeded(6), say: () => undefined });
      const problems = problemsOf(report);
      expect(problems, `${problems.join('\n')}\n${textOf(report)}`).toEqual([]);
      expect(report.chaos.size).toBe(6);
    },
    LIMIT_MS,
  );
});
