import { logNormalCdf } from './special-functions.ts';

/**
 * Bets against "no further than the bound" as logarithms of their capital: capital of 1/α is had with chance α at most, however often one
 * looks, as long as the bound is true (Ville's inequality).
 */

/** Logarithm of no capital at all; finite, so that sums and differences of logarithms stay numbers. */
export const BROKE = -1e9;

export interface Signal {
  /** Square of the standardised distance from the bound, 0 where it lies on the near side of it. */
  readonly zSquared: number;
  /** Inverse variance of the estimate if the bound were the truth. */
  readonly information: number;
}

/**
 * The one-sided normal mixture of Robbins (Howard et al. 2021, proposition 6): the stake is spread over distances from the bound as over
 * half a normal distribution of standard deviation `scale`. Used with an estimated variance it is valid asymptotically (Waudby-Smith et
 * al. 2024).
 */
export function normalMixture(signal: Signal, scale: number): number {
  if (!(signal.zSquared > 0) || !(signal.information > 0)) return BROKE;
  const prior = 1 / (scale * scale);
  const share = signal.information === Number.POSITIVE_INFINITY ? 1 : signal.information / (signal.information + prior);
  const width = Math.log1p(signal.information / prior);
  const exponent = (signal.zSquared * share) / 2;
  return Math.max(BROKE, Math.LN2 - width / 2 + exponent + logNormalCdf(Math.sqrt(2 * exponent)));
}

/** Half the stake on each of two bets: the mean of two capitals is the capital of a bet. */
export function shared(one: number, other: number): number {
  return Math.max(one, other) + Math.log1p(Math.exp(-Math.abs(one - other))) - Math.LN2;
}

/**
 * The square of the normal deviate that is as rare as Student's t with so many degrees of freedom (Wallace 1959): a variance estimated
 * from few cells may be far too small, and this takes back what that pretends.
 */
export function asNormal(tSquared: number, degrees: number): number {
  if (!(degrees > 0)) return 0;
  if (degrees === Number.POSITIVE_INFINITY) return tSquared;
  const factor = (8 * degrees + 1) / (8 * degrees + 3);
  return factor * factor * degrees * Math.log1p(tSquared / degrees);
}

/** Degrees of freedom of a sum of two variances (Welch and Satterthwaite), each from so many effective cells. */
export function degreesOf(one: number, oneCells: number, other: number, otherCells: number): number {
  if (oneCells <= 1 || otherCells <= 1) return 0;
  const most = Math.max(one, other);
  if (!(most > 0) || most === Number.POSITIVE_INFINITY) return Math.min(oneCells, otherCells) - 1;
  const a = one / most;
  const b = other / most;
  return ((a + b) * (a + b)) / ((a * a) / (oneCells - 1) + (b * b) / (otherCells - 1));
}
