import { describe, expect, it } from 'vitest';
import { rolloutList, rolloutText } from '../../../src/cli/rollout-text.ts';
import type { MetricJudgement, RolloutView } from '../../../src/core/rollout.ts';
import { FakeTerminal } from './fake-terminal.ts';

const TERMINAL = new FakeTerminal();
const METRIC: MetricJudgement = {
  metric: 'errors',
  stable: 0.001,
  canary: 0.2,
  effect: 0.199,
  low: 0.1,
  high: Number.POSITIVE_INFINITY,
  tolerance: 0.01,
  pValue: 0.00012,
  requests: 812,
  cells: 77,
  verdict: 'harm',
};
const STEP = { weightBp: 100, holdMs: 60_000, minRequests: 500, approvals: 0 };
const VIEW: RolloutView = {
  id: '5f3a91c2',
  spec: {
    model: 'digits',
    variant: 'v2',
    steps: [STEP, { ...STEP, weightBp: 10_000, approvals: 2 }],
    tolerance: { errors: 0.01, latency: 0.2, cost: 0.2, maxDisagreement: 0.1 },
    alpha: 0.01,
  },
  state: 'waiting',
  step: 0,
  stepStartedAt: '2026-03-01T10:00:00.000Z',
  startedBy: 'ann',
  startedAt: '2026-03-01T09:00:00.000Z',
  reason: 'new',
  weightBp: 100,
  beforeBp: 0,
  pending: false,
  problem: '',
  approvedBy: ['bob'],
  judgement: { verdict: 'harm', reason: 'errors are worse', metrics: [METRIC] },
  transitions: [{ at: '2026-03-01T09:00:00.000Z', from: '', to: 'running', step: 0, actor: 'ann', reason: 'new' }],
};

describe('a rollout on the console', () => {
  it('says where it stands, what it waits for and what the judge has found', () => {
    const text = rolloutText(TERMINAL, VIEW);
    expect(text).toContain('rollout 5f3a91c2 of digits: v2 waiting');
    expect(text).toContain('step 1 of 2, 1.00 % of the traffic (0.00 % before)');
    expect(text).toContain('100.00 % needs 2 approvals: bob');
    expect(text).toMatch(/errors +harm +0\.00100 +0\.200 +0\.199 +0\.100 … - +0\.0100 +0\.000120 +812 +77/);
  });

  it('says why it cannot go on', () => {
    expect(rolloutText(TERMINAL, { ...VIEW, problem: 'ENOSPC' })).toContain('cannot go on: ENOSPC');
  });

  it('says of one that was rolled back as long as callers are at its canary still', () => {
    const leaving = { ...VIEW, state: 'rolled-back', pending: true, problem: 'disk full' } as const;
    expect(rolloutText(TERMINAL, leaving)).toContain('its share is still being taken away');
    expect(rolloutList(TERMINAL, [leaving])).toContain('its share is still being taken away: disk full');
    expect(rolloutText(TERMINAL, { ...leaving, pending: false })).not.toContain('still');
  });

  it('is one line in the list of all', () => {
    expect(rolloutList(TERMINAL, [VIEW])).toMatch(/5f3a91c2 +digits +v2 +waiting +1 of 2 +1\.00 % +ann +2026-03-01 09:00 +new/);
    expect(rolloutList(TERMINAL, [])).toContain('no rollouts');
  });

  it('says in the list what an unsure judge waits for', () => {
    const judgement = { verdict: 'unsure', reason: 'not settled yet: cost', metrics: [] } as const;
    expect(rolloutList(TERMINAL, [{ ...VIEW, state: 'running', judgement }])).toContain('not settled yet: cost');
    expect(rolloutList(TERMINAL, [{ ...VIEW, state: 'paused', judgement }])).not.toContain('not settled');
  });

  it('takes figures that JSON could not say', () => {
    const metric = JSON.parse(JSON.stringify({ ...METRIC, low: Number.NEGATIVE_INFINITY })) as MetricJudgement;
    expect(rolloutText(TERMINAL, { ...VIEW, judgement: { verdict: 'unsure', reason: '', metrics: [metric] } })).toContain(
      '- … -',
    );
  });
});
