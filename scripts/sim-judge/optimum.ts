import { logGamma } from '../../src/router/rollout/special-functions.ts';
import { BASE } from './callers.ts';
import { type HarmCase, POWER, SPEC } from './plan.ts';
import { PAIRED_SHARE, REQUEST_SPREAD } from './traffic.ts';

/**
 * The fewest requests of the canary that a test at one look, planned for just this harm, needs: the whole of alpha for one metric,
 * independent callers, and stable known exactly. Nobody who does not know the harm beforehand can reach it; it is the yardstick.
 */
export function fixedHorizon({ metric, harm }: HarmCase): number {
  const { tolerance, alpha } = SPEC;
  switch (metric) {
    case 'errors':
      return fewestTrials(BASE.failures + tolerance.errors, mixed(BASE.failures, harm.failures), alpha);
    case 'disagreement':
      return fewestTrials(tolerance.maxDisagreement, mixed(BASE.disagreements, harm.disagreements), alpha) / PAIRED_SHARE;
    case 'latency': {
      const beyond = Math.log(harm.slower) - Math.log1p(tolerance.latency);
      return Math.ceil((((NORMAL_95 + NORMAL_95) * REQUEST_SPREAD) / beyond) ** 2);
    }
    default:
      throw new RangeError(`no yardstick for harm by ${metric}: add one beside the others`);
  }
}

/** Of the normal distribution; alpha and what is missing of the power are both a twentieth. */
const NORMAL_95 = 1.6449;

function mixed(base: number, harm: number): number {
  return base + harm * (1 - base);
}

/** The least n for which some number of failures is rare at `tolerated` and usual at `harmed`. */
function fewestTrials(tolerated: number, harmed: number, alpha: number): number {
  for (let n = 1; n < 100_000; n++) {
    let needed = 0;
    while (atLeast(n, needed, tolerated) > alpha) needed++;
    if (needed <= n && atLeast(n, needed, harmed) >= POWER) return n;
  }
  throw new RangeError(`shares of ${tolerated} and ${harmed} cannot be told apart by 100,000 trials`);
}

function atLeast(n: number, needed: number, share: number): number {
  let below = 0;
  for (let k = 0; k < needed; k++) below += binomial(n, k, share);
  return 1 - below;
}

function binomial(n: number, k: number, share: number): number {
  if (share >= 1) return k === n ? 1 : 0;
  const ways = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  return Math.exp(ways + k * Math.log(share) + (n - k) * Math.log1p(-share));
}
