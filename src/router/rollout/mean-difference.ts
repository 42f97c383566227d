import type { BoundTest, Side } from './bound-test.ts';
import type { CellSums } from './cell-sums.ts';
import { asNormal, BROKE, degreesOf, normalMixture, shared } from './mixture.ts';
import { moderated } from './moderated.ts';

/** One mean and its uncertainty, in units in which differences compare. */
export interface Mean {
  readonly mean: number;
  readonly variance: number;
  readonly effectiveCells: number;
}

/** A ratio is watched from a thousandth to a thousandfold; what lies beyond is said to be there. */
export const FAR = Math.log(1001);

// One request differs from the next by a twentieth at least: cells that are all alike would otherwise make the smallest difference certain.
const LEAST_VARIANCE = 0.05 * 0.05;

/** Half the stake is spread over differences of this size: e-fold. */
const GROSS = 1;

/** Means and variances scaled by `unit`; the canary's variance leans on what stable's requests vary by in the usual cell. */
export function meansOf(stable: CellSums, canary: CellSums, unit: number): { readonly stable: Mean; readonly canary: Mean } {
  return { stable: meanOf(stable, stable, unit), canary: meanOf(canary, stable, unit) };
}

function meanOf(sums: CellSums, stable: CellSums, unit: number): Mean {
  const own = moderated(sums.variance, sums.effectiveCells, stable.betweenCells / sums.count);
  const variance = Math.max(own / (unit * unit), LEAST_VARIANCE / sums.count);
  return { mean: sums.mean / unit, variance, effectiveCells: sums.effectiveCells };
}

/** What lies between canary and stable when their ratio is `bound`, a logarithm: 0 if it is just that. */
export interface Contrast {
  readonly distance: number;
  /** By how much the variance of stable counts in it. */
  readonly stableWeight: number;
}

/** Tests the ratio of two means, on the axis of its logarithm, by normal mixtures for differences of a size that matters and for gross ones. */
export class MeanDifference implements BoundTest {
  readonly from = -FAR;
  readonly to = FAR;
  readonly estimate: number;
  readonly #stable: Mean;
  readonly #canary: Mean;
  readonly #contrast: (stable: number, canary: number, bound: number) => Contrast;
  readonly #scale: number;
  // Those of equal means at every bound: a bet must not lose them by the bound alone.
  readonly #information: number;
  readonly #degrees: number;

  constructor(
    means: { readonly stable: Mean; readonly canary: Mean },
    estimate: number,
    contrast: (stable: number, canary: number, bound: number) => Contrast,
    scale: number,
  ) {
    this.estimate = Math.min(Math.max(estimate, -FAR), FAR);
    this.#stable = means.stable;
    this.#canary = means.canary;
    this.#contrast = contrast;
    this.#scale = scale;
    const { stable, canary } = means;
    this.#information = 1 / (stable.variance + canary.variance);
    this.#degrees = degreesOf(stable.variance, stable.effectiveCells, canary.variance, canary.effectiveCells);
  }

  capital(bound: number, side: Side): number {
    const [stable, canary] = [this.#stable, this.#canary];
    if (!(stable.effectiveCells > 1) || !(canary.effectiveCells > 1)) return BROKE;
    const { distance, stableWeight } = this.#contrast(stable.mean, canary.mean, bound);
    if (side === 'beyond' ? !(distance > 0) : !(distance < 0)) return BROKE;
    const variance = stable.variance * stableWeight * stableWeight + canary.variance;
    const zSquared = asNormal((distance * distance) / variance, this.#degrees);
    const signal = { zSquared, information: this.#information };
    return shared(normalMixture(signal, this.#scale), normalMixture(signal, GROSS));
  }
}

/** Means of logarithms: their difference is the logarithm of the ratio. */
export function logContrast(stable: number, canary: number, bound: number): Contrast {
  return { distance: canary - stable - bound, stableWeight: 1 };
}

/** Plain means, after Fieller: the canary's less the bound times stable's. */
export function ratioContrast(stable: number, canary: number, bound: number): Contrast {
  const factor = Math.exp(bound);
  return { distance: canary - factor * stable, stableWeight: factor };
}
