/** What the cells of one variant add up to: a ratio, and how far chance may have moved it. */
export interface CellSums {
  /** Sum of the counts: requests, or pairs. */
  readonly count: number;
  /** Sum of the totals divided by the sum of the counts. 0 where nothing was counted. */
  readonly mean: number;
  /** Cells in which something was counted. */
  readonly cells: number;
  /** So many cells of equal size would be as uncertain (Kish): one busy caller makes it 1, whatever the rest do. */
  readonly effectiveCells: number;
  /** Delete-one-cell jackknife variance of the mean. Infinite where there is but one cell. */
  readonly variance: number;
  /**
   * Mean square between cells, in units of one request: its variance where requests are independent, more where callers differ. Each cell
   * weighs the same here, so that one giant does not speak for all.
   */
  readonly betweenCells: number;
  /** The same cells with none larger than the mean cell. */
  readonly evened: EvenedCells;
}

/** Cells cut down to the mean cell, so that few giants do not drown the rest. */
export interface EvenedCells {
  readonly mean: number;
  readonly effectiveCells: number;
  /** What is left of all counts. Of totals that cannot be negative, the true mean is at least this part of the evened one. */
  readonly kept: number;
}

// Beyond these squares and quotients lose their meaning; no variant has counted so far.
const LARGEST = 1e15;
const LEAST = 1e-6;

/**
 * `whole` is the most a total can be for each counted one: 1 for failures of requests, Infinity where there is no such bound. Cells with
 * something in them that is no count or no number are left out, so that one broken sum cannot decide.
 */
export function sumCells(counts: Float64Array, totals: Float64Array, whole: number): CellSums {
  let count = 0;
  let total = 0;
  let squares = 0;
  let cells = 0;
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i]!;
    if (!isUsable(n, totals[i]!)) continue;
    count += n;
    total += within(totals[i]!, n, whole);
    squares += n * n;
    cells++;
  }
  if (cells === 0) return NOTHING;
  const mean = total / count;
  const effectiveCells = (count * count) / squares;
  if (cells === 1) return { ...NOTHING, count, mean, cells, effectiveCells, evened: { mean, effectiveCells, kept: 1 } };
  let jackknife = 0;
  let between = 0;
  let kept = 0;
  let keptTotal = 0;
  let keptSquares = 0;
  const most = count / cells;
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i]!;
    if (!isUsable(n, totals[i]!)) continue;
    const total = within(totals[i]!, n, whole);
    const residual = total - mean * n;
    // One cell may be so large that the others vanish beside it.
    const rest = count - n;
    const moved = rest > 0 ? residual / rest : Number.POSITIVE_INFINITY;
    jackknife += moved * moved;
    between += (residual * residual) / n;
    const weight = Math.min(n, most);
    kept += weight;
    keptTotal += weight * (total / n);
    keptSquares += weight * weight;
  }
  return {
    count,
    mean,
    cells,
    effectiveCells,
    variance: (jackknife * (cells - 1)) / cells,
    betweenCells: between / (cells - 1),
    evened: { mean: keptTotal / kept, effectiveCells: (kept * kept) / keptSquares, kept: kept / count },
  };
}

const NOTHING: CellSums = {
  count: 0,
  mean: 0,
  cells: 0,
  effectiveCells: 0,
  variance: Number.POSITIVE_INFINITY,
  betweenCells: 0,
  evened: { mean: 0, effectiveCells: 0, kept: 1 },
};

function isUsable(count: number, total: number): boolean {
  return count >= LEAST && count <= LARGEST && total >= -LARGEST && total <= LARGEST;
}

function within(total: number, count: number, whole: number): number {
  return whole === Number.POSITIVE_INFINITY ? total : Math.min(Math.max(total, 0), count * whole);
}
