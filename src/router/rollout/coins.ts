import type { CellSums } from './cell-sums.ts';
import { logBeta, logLikelihood } from './special-functions.ts';

/** Failures of so many independent trials; neither need be whole, since both may have been divided by how much alike trials are. */
export interface Coins {
  readonly failures: number;
  readonly count: number;
}

/** The likeliest shares that keep a bound on their difference. */
export interface BestShares {
  readonly stable: number;
  readonly canary: number;
  readonly likelihood: number;
  /** False where the shares seen keep the bound by themselves. */
  readonly onBound: boolean;
}

// A share is never taken for impossible: its logarithm would be infinite.
const LEAST_SHARE = 1e-12;

export function coinsOf(sums: CellSums, factor: number): Coins {
  const count = sums.count / factor;
  return { failures: sums.mean * count, count };
}

export function shareOf(coins: Coins): number {
  return coins.count > 0 ? coins.failures / coins.count : 0;
}

export function likelihoodAt(coins: Coins, share: number): number {
  return logLikelihood(coins.failures, coins.count, Math.min(Math.max(share, LEAST_SHARE), 1 - LEAST_SHARE));
}

export function greatestLikelihood(coins: Coins): number {
  return likelihoodAt(coins, shareOf(coins));
}

/** Likelihood averaged over all shares, by the beta distribution of these two equal parameters. */
export function averageLikelihood(coins: Coins, parameter: number): number {
  const { failures, count } = coins;
  return logBeta(failures + parameter, count - failures + parameter) - logBeta(parameter, parameter);
}

export function shareVariance(coins: Coins, share: number): number {
  return (share * (1 - share)) / coins.count;
}

/** What is compared with stable's share: `kept` times the canary's share, less stable's, against `bound`. `kept` is 1 for plain shares. */
export interface Bound {
  readonly bound: number;
  readonly kept: number;
  /** The bound is the most that the difference may be, or the least. */
  readonly most: boolean;
}

/** The likeliest shares that keep the bound. */
export function bestShares(stable: Coins, canary: Coins, of: Bound): BestShares {
  const s = shareOf(stable);
  const c = shareOf(canary);
  const difference = of.kept * c - s;
  if (of.most ? difference <= of.bound : difference >= of.bound) {
    return { stable: s, canary: c, likelihood: likelihoodAt(stable, s) + likelihoodAt(canary, c), onBound: false };
  }
  const share = profiled(stable, canary, of);
  const other = (share + of.bound) / of.kept;
  return { stable: share, canary: other, likelihood: likelihoodAt(stable, share) + likelihoodAt(canary, other), onBound: true };
}

// Halvings of the share. A share of none is met to a ten-thousandth of a failure of a million requests.
const HALVINGS = 34;

/**
 * The share of stable at which the likelihood of both is greatest when they differ by just the bound. It lies between what stable has shown
 * and what the canary, less the bound, has; the slope of the likelihood falls all the way.
 */
function profiled(stable: Coins, canary: Coins, { bound, kept }: Bound): number {
  const own = shareOf(stable);
  const others = kept * shareOf(canary) - bound;
  let low = Math.max(0, -bound, Math.min(own, others));
  let high = Math.min(1, kept - bound, Math.max(own, others));
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (slope(stable, middle) + slope(canary, (middle + bound) / kept) / kept > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function slope(coins: Coins, share: number): number {
  const p = Math.min(Math.max(share, LEAST_SHARE), 1 - LEAST_SHARE);
  return (coins.failures - coins.count * p) / (p * (1 - p));
}
