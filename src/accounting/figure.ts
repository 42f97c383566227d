/** @hot A figure of a request's usage, or 0 where it is none: a NaN would poison every sum it is ever added to. */
export function figureOf(value: number): number {
  return isFigure(value) ? value : 0;
}

/** @hot */
export function isFigure(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY;
}
