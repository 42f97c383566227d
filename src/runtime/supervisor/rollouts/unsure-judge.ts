import type { RolloutJudge } from './rollout-judge.ts';

/** A judge that is never sure: every step waits for a person to promote it, and only what is plainly broken is rolled back. */
export const UNSURE_JUDGE: RolloutJudge = {
  judge: () => ({ verdict: 'unsure', reason: 'this gateway has no judge; promote each step by hand', metrics: [] }),
  alphaOf: (alpha) => alpha,
  next(spec, { step, approvals }, judgement) {
    const needs = spec.steps[step + 1]?.approvals ?? 0;
    if (step >= 0) return { move: 'hold', reason: judgement?.reason ?? 'not judged yet' };
    const reason = `${approvals} of ${needs} approvals`;
    return approvals < needs ? { move: 'await-approval', reason } : { move: 'advance', reason };
  },
};
