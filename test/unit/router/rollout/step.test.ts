import { describe, expect, it } from 'vitest';
import type { Judgement, RolloutSpec } from '../../../../src/core/rollout.ts';
import { nextMove, type Standing } from '../../../../src/router/rollout/step.ts';
import { TOLERANCE } from './evidence-fakes.ts';

const step = (weightBp: number, approvals = 0) => ({ weightBp, holdMs: 60_000, minRequests: 100, approvals });
const SPEC: RolloutSpec = {
  model: 'm',
  variant: 'v2',
  steps: [step(100), step(2_500, 2), step(10_000)],
  tolerance: TOLERANCE,
  alpha: 0.05,
};
const HARM: Judgement = { verdict: 'harm', reason: 'errors 30 %', metrics: [] };
const GOOD: Judgement = { verdict: 'good', reason: 'all within', metrics: [] };
const UNSURE: Judgement = { verdict: 'unsure', reason: 'not settled', metrics: [] };
const DUE: Standing = { step: 0, msAtStep: 60_000, requests: 100, approvals: 2 };

const move = (standing: Partial<Standing>, judgement: Judgement | null, spec = SPEC): string =>
  nextMove(spec, { ...DUE, ...standing }, judgement).move;

describe('a rollout', () => {
  it('advances when the step has lasted its time, has had its requests and is judged good', () => {
    expect(nextMove(SPEC, DUE, GOOD)).toEqual({ move: 'advance', reason: 'all within' });
  });

  it('rolls back on harm at once, whatever else is missing', () => {
    expect(nextMove(SPEC, { step: 0, msAtStep: 0, requests: 3, approvals: 0 }, HARM)).toEqual({
      move: 'roll-back',
      reason: 'errors 30 %',
    });
  });

  it('rolls back on harm while people are waited for', () => {
    expect(move({ approvals: 0 }, HARM)).toBe('roll-back');
  });

  it('holds until the time of the step is over', () => {
    expect(nextMove(SPEC, { ...DUE, msAtStep: 59_999 }, GOOD)).toEqual({ move: 'hold', reason: 'held for 59 s of 60 s' });
  });

  it('holds at low traffic, however long it lasts', () => {
    expect(nextMove(SPEC, { ...DUE, requests: 99, msAtStep: 1e12 }, GOOD)).toEqual({
      move: 'hold',
      reason: 'the canary has had 99 of 100 requests',
    });
  });

  it('holds while the judge is unsure, and says of what', () => {
    expect(nextMove(SPEC, DUE, UNSURE)).toEqual({ move: 'hold', reason: 'not settled' });
  });

  it('holds before the first look', () => {
    expect(move({}, null)).toBe('hold');
  });

  it('holds when time or requests are no numbers', () => {
    expect(move({ msAtStep: Number.NaN }, GOOD)).toBe('hold');
    expect(move({ requests: Number.NaN }, GOOD)).toBe('hold');
  });

  it('waits for as many people as the next step needs', () => {
    const waiting = nextMove(SPEC, { ...DUE, approvals: 1 }, GOOD);
    expect(waiting).toEqual({ move: 'await-approval', reason: '1 of 2 approvals for 25 %; all within' });
    expect(move({ approvals: 2 }, GOOD)).toBe('advance');
  });

  it('begins with its first step, or waits for people to let it begin', () => {
    expect(move({ step: -1, approvals: 0 }, null)).toBe('advance');
    expect(move({ step: -1, approvals: 0 }, null, { ...SPEC, steps: [step(100, 1)] })).toBe('await-approval');
  });

  it('is complete as soon as it stands at all traffic, where nothing is left to compare it with', () => {
    expect(move({ step: 2, msAtStep: 0, requests: 0 }, null)).toBe('complete');
  });

  it('is complete when its last step, short of all traffic, is good', () => {
    const short = { ...SPEC, steps: [step(100), step(5_000)] };
    expect(move({ step: 1 }, GOOD, short)).toBe('complete');
    expect(move({ step: 1 }, UNSURE, short)).toBe('hold');
    expect(move({ step: 2 }, null, short)).toBe('complete');
  });
});
