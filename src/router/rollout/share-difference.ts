import type { BoundTest, Side } from './bound-test.ts';
import type { CellSums } from './cell-sums.ts';
import { averageLikelihood, type Bound, bestShares, type Coins, greatestLikelihood, shareVariance } from './coins.ts';
import { asCells, asEvenedCells, asSeen, usualLikeness } from './likeness.ts';
import { asNormal, BROKE, degreesOf, normalMixture, shared } from './mixture.ts';

/**
 * Tests the difference of two shares. Three bets share the stake.
 *
 * The first takes each cell for one coin, as if its callers did all alike, and knows nothing but that a coin has two sides: a mixture
 * likelihood over the greatest likelihood within the bound (Wasserman, Ramdas and Balakrishnan 2020). It needs no variance, so it can be
 * trusted with five callers of whom all fail.
 *
 * The second does the same with cells of which none counts for more than the mean cell: if nine tenths of the canary's requests are those of
 * one caller, the others are still heard. What the cut-off requests would have said is given to the canary's benefit.
 *
 * The third learns from the cells how much alike their callers are, and bets on the likelihood ratio as on the square of a normal
 * deviate. It sees small differences in many cells.
 */
export class ShareDifference implements BoundTest {
  readonly from = -1;
  readonly to = 1;
  readonly estimate: number;
  readonly #stable: CellSums;
  readonly #canary: CellSums;
  readonly #stableCells: Coins;
  readonly #canaryCells: Coins;
  readonly #canaryEvened: Coins;
  readonly #stableSeen: Coins;
  readonly #canarySeen: Coins;
  readonly #scale: number;
  // What does not depend on the bound: the average likelihoods of cells, the greatest of requests.
  readonly #average: number;
  readonly #averageEvened: number;
  readonly #greatest: number;

  /** `scale`: a difference that matters. */
  constructor(stable: CellSums, canary: CellSums, scale: number) {
    this.estimate = canary.mean - stable.mean;
    this.#stable = stable;
    this.#canary = canary;
    this.#stableCells = asCells(stable);
    this.#canaryCells = asCells(canary);
    this.#canaryEvened = asEvenedCells(canary);
    this.#stableSeen = asSeen(stable, usualLikeness(stable));
    // A canary that does as stable does has callers as much alike as stable's, of whom more have been seen.
    this.#canarySeen = asSeen(canary, usualLikeness(stable));
    this.#scale = scale;
    const ofStable = averageLikelihood(this.#stableCells, 0.5);
    this.#average = ofStable + averageLikelihood(this.#canaryCells, 1);
    this.#averageEvened = ofStable + averageLikelihood(this.#canaryEvened, 1);
    this.#greatest = greatestLikelihood(this.#stableSeen) + greatestLikelihood(this.#canarySeen);
  }

  capital(bound: number, side: Side): number {
    if (this.#stable.cells === 0 || this.#canary.cells === 0) return BROKE;
    const plain = { bound, kept: 1, most: side === 'beyond' };
    const onCells = shared(this.#betOnCells(plain), plain.most ? this.#betOnEvenedCells(bound) : BROKE);
    return shared(onCells, this.#betOnRequests(plain));
  }

  #betOnCells(bound: Bound): number {
    return this.#average - bestShares(this.#stableCells, this.#canaryCells, bound).likelihood;
  }

  #betOnEvenedCells(bound: number): number {
    const { kept } = this.#canary.evened;
    // No share of what was kept could be too much for all.
    if (kept <= bound) return BROKE;
    return this.#averageEvened - bestShares(this.#stableCells, this.#canaryEvened, { bound, kept, most: true }).likelihood;
  }

  #betOnRequests(bound: Bound): number {
    const stable = this.#stableSeen;
    const canary = this.#canarySeen;
    const best = bestShares(stable, canary, bound);
    if (!best.onBound) return BROKE;
    const ofStable = shareVariance(stable, best.stable);
    const ofCanary = shareVariance(canary, best.canary);
    const ratio = 2 * (this.#greatest - best.likelihood);
    const degrees = degreesOf(ofStable, this.#stable.effectiveCells, ofCanary, this.#canary.effectiveCells);
    return normalMixture({ zSquared: asNormal(ratio, degrees), information: 1 / (ofStable + ofCanary) }, this.#scale);
  }
}
