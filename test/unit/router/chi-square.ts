/** Whether counts in cells look like chance: the sum of squared differences from what each cell should have. */
export function chiSquareOf(counts: readonly number[], total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Mean plus five standard deviations of chi-square for this many cells: passed by chance less than once in a million. */
export function chiSquareBound(cells: number): number {
  const freedom = cells - 1;
  return freedom + 5 * Math.sqrt(2 * freedom);
}
