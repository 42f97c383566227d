import { describe, expect, it } from 'vitest';
import { CELLS, noEvidence } from '../../../../src/core/evidence.ts';
import type { MetricJudgement, RolloutMetric } from '../../../../src/core/rollout.ts';
import { alphaOfEpoch } from '../../../../src/router/rollout/alpha.ts';
import { type JudgeSpec, judge } from '../../../../src/router/rollout/judge.ts';
import { arm, TOLERANCE } from './evidence-fakes.ts';

const SPEC: JudgeSpec = { tolerance: TOLERANCE, alpha: alphaOfEpoch(0.05, 0) };
const STABLE = arm({ requests: 20_000 });

function metric(of: RolloutMetric, canary: Parameters<typeof arm>[0], stable = STABLE): MetricJudgement {
  return judge(stable, arm(canary, 2), SPEC).metrics.find((one) => one.metric === of)!;
}

describe('the judge', () => {
  it('sees a canary whose every answer is an error within ten of them', () => {
    const judgement = judge(STABLE, arm({ requests: 8, failing: 1 }, 2), SPEC);
    expect(judgement.verdict).toBe('harm');
    expect(judgement.reason).toMatch(
      /^errors 100\.00 % of 8 requests in 8 cells, stable 0\.00 %: at least .* more, tolerated 1\.00 % more/,
    );
  });

  it('sees 20 failures of 20 beside none of 2000, though neither arm shows any variance', () => {
    expect(metric('errors', { requests: 20, failing: 1 }, arm({ requests: 2_000 }))).toMatchObject({
      verdict: 'harm',
      canary: 1,
    });
  });

  it('does not condemn a canary for its first failure', () => {
    expect(judge(STABLE, arm({ requests: 1, failing: 1 }, 2), SPEC).verdict).toBe('unsure');
    expect(judge(STABLE, arm({ requests: 40, failing: 0.03 }, 4), SPEC).verdict).toBe('unsure');
  });

  it('sees a canary three times as slow within fifty answers', () => {
    expect(metric('latency', { requests: 50, us: 60_000 })).toMatchObject({ verdict: 'harm' });
  });

  it('sees a canary that disagrees on a third of its pairs within a hundred', () => {
    expect(metric('disagreement', { requests: 100, disagreeing: 0.33 })).toMatchObject({ verdict: 'harm' });
  });

  it('sees a canary at twice the price, though no answer costs more than another', () => {
    const found = metric('cost', { requests: 60, costNano: 2_000 });
    expect(found.verdict).toBe('harm');
    expect(found.effect).toBeCloseTo(1);
    expect(found.low).toBeGreaterThan(TOLERANCE.cost);
  });

  it('finds a canary good that does as stable does, when it has seen enough', () => {
    const judgement = judge(arm({ requests: 100_000, failing: 0.002 }, 5), arm({ requests: 4_000, failing: 0.002 }, 6), SPEC);
    expect(judgement.verdict).toBe('good');
    expect(judgement.reason).toMatch(/^within tolerance: errors at most/);
    for (const one of judgement.metrics) expect(one.high).toBeLessThanOrEqual(one.tolerance);
  });

  it('stays unsure while it has seen little, and says of what', () => {
    const judgement = judge(STABLE, arm({ requests: 30 }, 2), SPEC);
    expect(judgement.verdict).toBe('unsure');
    expect(judgement.reason).toMatch(/^not settled yet: errors/);
  });

  it('stays unsure without any evidence', () => {
    const judgement = judge(noEvidence(), noEvidence(), SPEC);
    expect(judgement.verdict).toBe('unsure');
    expect(judgement.reason).toContain('nothing seen of the canary');
    expect(judgement.reason).toContain("disagreement: no answer could be compared with stable's yet");
  });

  it('stays unsure when stable has seen nothing, however many requests of the canary fail', () => {
    const judgement = judge(noEvidence(), arm({ failing: 0.5 }), SPEC);
    expect(judgement.metrics.find((one) => one.metric === 'errors')?.verdict).toBe('unsure');
  });
});

describe('the judge of alike callers', () => {
  it('says nothing against a canary that one busy caller has seen, however bad', () => {
    const one = arm({ requests: 5_000, cells: 1, failing: 0.5, us: 100_000, disagreeing: 0.5 }, 3);
    expect(judge(STABLE, one, SPEC).verdict).toBe('unsure');
  });

  it('hears many small callers who all fail beside one giant who does not', () => {
    const canary = arm({ requests: 200, failing: 1, cells: CELLS }, 3);
    canary.requests[7]! += 200;
    expect(judge(STABLE, canary, SPEC).verdict).toBe('harm');
  });

  it('does not take one failing caller for as many failures as it has sent', () => {
    const canary = arm({ requests: 300 }, 3);
    const alike = arm({ requests: 300 }, 3);
    canary.requests[9]! += 40;
    canary.failures[9]! += 40;
    for (let i = 0; i < 40; i++) {
      alike.requests[i * 12]! += 1;
      alike.failures[i * 12]! += 1;
    }
    expect(judge(STABLE, canary, SPEC).verdict).toBe('unsure');
    expect(judge(STABLE, alike, SPEC).verdict).toBe('harm');
  });

  it('needs more of callers who differ than of requests that do', () => {
    const width = (perCell: number): number => {
      const canary = noEvidence();
      for (let i = 0; i < 600; i++) {
        const cell = Math.floor(i / perCell);
        const failed = cell % 10 === 0 ? 1 : 0;
        canary.requests[cell % CELLS]! += 1;
        canary.failures[cell % CELLS]! += failed;
      }
      const found = judge(STABLE, canary, SPEC).metrics[0]!;
      return found.high - found.low;
    };
    expect(width(20)).toBeGreaterThan(1.5 * width(2));
  });
});

describe('the metrics that are judged', () => {
  it('are those that have a tolerance', () => {
    const tolerance = { errors: 1, latency: 1_000, cost: 1_000, maxDisagreement: 1 };
    const judgement = judge(STABLE, arm({ failing: 1 }), { tolerance, alpha: 0.05 });
    expect(judgement).toEqual({ verdict: 'good', reason: expect.stringContaining('no metric has a tolerance'), metrics: [] });
    expect(
      judge(STABLE, STABLE, { tolerance: { ...tolerance, latency: 0.3 }, alpha: 0.05 }).metrics.map((one) => one.metric),
    ).toEqual(['latency']);
  });

  it('take two free variants for equally dear, and a price where there was none for a thousandfold', () => {
    const free = arm({ requests: 20_000, costNano: 0 });
    const cost = (nano: number): MetricJudgement => metric('cost', { costNano: nano }, free);
    expect(cost(0)).toMatchObject({ effect: 0, verdict: 'good' });
    expect(cost(5).verdict).toBe('harm');
    expect(cost(5).effect).toBeCloseTo(1_000);
  });
});

describe('alpha', () => {
  it('is not spent beyond its whole, however many epochs there are', () => {
    let spent = 0;
    for (let epoch = 0; epoch < 100_000; epoch++) spent += alphaOfEpoch(0.05, epoch);
    expect(spent).toBeLessThanOrEqual(0.05);
    expect(spent).toBeGreaterThan(0.0499);
    expect(alphaOfEpoch(0.05, -1)).toBe(alphaOfEpoch(0.05, 0));
  });
});
