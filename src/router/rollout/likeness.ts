import type { CellSums } from './cell-sums.ts';
import { type Coins, coinsOf } from './coins.ts';
import { moderated } from './moderated.ts';

/** How much less than its requests a cell is worth, because its callers are alike: counts are divided by it (Rao and Scott 1992). */

/** Every cell is one coin: its callers all fail or none does. Nothing can be worse. */
export function asCells(sums: CellSums): Coins {
  return coinsOf(sums, worst(sums));
}

/** The same of cells that were cut down to the mean cell. */
export function asEvenedCells(sums: CellSums): Coins {
  const { mean, effectiveCells } = sums.evened;
  return { failures: mean * effectiveCells, count: effectiveCells };
}

/**
 * As much alike as the cells themselves show, leaning on `usual` while they are few. As if one more cell of the mean size had been seen that
 * fails as a whole or not at all, so that few cells that never failed are not taken for as many independent callers as they have sent
 * requests.
 */
export function asSeen(sums: CellSums, usual: number): Coins {
  const most = worst(sums);
  const oneMore = sums.count / sums.cells / sums.effectiveCells;
  return coinsOf(sums, Math.min(most, Math.max(1, moderated(likeness(sums), sums.effectiveCells, usual)) + oneMore));
}

function likeness(sums: CellSums): number {
  const spread = sums.mean * (1 - sums.mean);
  return spread > 0 ? (sums.variance * sums.count) / spread : 1;
}

/** How much alike the requests of one cell are in the usual cell of this variant. */
export function usualLikeness(sums: CellSums): number {
  const spread = sums.mean * (1 - sums.mean);
  return spread > 0 && sums.cells > 1 ? sums.betweenCells / spread : 1;
}

function worst(sums: CellSums): number {
  return Math.max(1, sums.count / sums.effectiveCells);
}
