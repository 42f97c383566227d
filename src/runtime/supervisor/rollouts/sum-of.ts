/** The sum over all cells. */
export function sumOf(cells: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += cells[i]!;
  return sum;
}
