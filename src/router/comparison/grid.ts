/** Which values of an output are looked at: all of them, or so many rows at equal distances; of rows that are too long, so many columns. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** Between two that are looked at; 1 looks at all. */
  readonly rowStep: number;
  readonly columnStep: number;
}

/** `shape` holds at least one element. */
export function gridOf(shape: readonly number[], elements: number, maxElements: number): Grid {
  const columns = shape.length === 0 ? 1 : shape.at(-1)!;
  const rows = elements / columns;
  const columnStep = Math.ceil(columns / maxElements);
  const rowsTaken = Math.max(1, Math.floor(maxElements / Math.ceil(columns / columnStep)));
  return { columns, rows, rowStep: Math.ceil(rows / rowsTaken), columnStep };
}

export const isPartial = ({ rowStep, columnStep }: Grid): boolean => rowStep > 1 || columnStep > 1;
