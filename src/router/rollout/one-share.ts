import type { BoundTest, Side } from './bound-test.ts';
import type { CellSums } from './cell-sums.ts';
import { averageLikelihood, type Coins, greatestLikelihood, likelihoodAt, shareOf, shareVariance } from './coins.ts';
import { asCells, asEvenedCells, asSeen, usualLikeness } from './likeness.ts';
import { asNormal, BROKE, normalMixture, shared } from './mixture.ts';

/** Tests one share against a bound, by the same three bets as the difference of two. */
export class OneShare implements BoundTest {
  readonly from = 0;
  readonly to = 1;
  readonly estimate: number;
  readonly #sums: CellSums;
  readonly #cells: Coins;
  readonly #evened: Coins;
  readonly #seen: Coins;
  readonly #scale: number;
  readonly #average: number;
  readonly #averageEvened: number;

  constructor(sums: CellSums, scale: number) {
    this.estimate = sums.mean;
    this.#sums = sums;
    this.#cells = asCells(sums);
    this.#evened = asEvenedCells(sums);
    this.#seen = asSeen(sums, usualLikeness(sums));
    this.#scale = scale;
    this.#average = averageLikelihood(this.#cells, 1);
    this.#averageEvened = averageLikelihood(this.#evened, 1);
  }

  capital(bound: number, side: Side): number {
    if (this.#sums.cells === 0) return BROKE;
    const isBeyond = side === 'beyond' ? this.estimate > bound : this.estimate < bound;
    const onCells = this.#average - (isBeyond ? likelihoodAt(this.#cells, bound) : greatestLikelihood(this.#cells));
    const ofCells = shared(onCells, side === 'beyond' ? this.#betOnEvenedCells(bound) : BROKE);
    return shared(ofCells, isBeyond ? this.#betOnPairs(bound) : BROKE);
  }

  #betOnEvenedCells(bound: number): number {
    const most = Math.min(1, bound / this.#sums.evened.kept);
    return this.#averageEvened - likelihoodAt(this.#evened, Math.min(most, shareOf(this.#evened)));
  }

  #betOnPairs(bound: number): number {
    const variance = shareVariance(this.#seen, bound);
    const ratio = 2 * (greatestLikelihood(this.#seen) - likelihoodAt(this.#seen, bound));
    const zSquared = asNormal(ratio, this.#sums.effectiveCells - 1);
    return normalMixture({ zSquared, information: 1 / variance }, this.#scale);
  }
}
