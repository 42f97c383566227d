/** A bet that can be made on any bound of a difference, and the confidence sequence that all such bets make. */

/** `beyond`: the bet is that the difference is greater than the bound; `within`: that it is less. */
export type Side = 'beyond' | 'within';

/** A difference is measured on an axis of its own: shares as they are, ratios as logarithms. */
export interface BoundTest {
  /** Ends of the axis. */
  readonly from: number;
  readonly to: number;
  /** The difference as it was seen; finite. */
  readonly estimate: number;
  /** Logarithm of the capital of the bet now, having begun with 1. Never NaN. */
  capital(bound: number, side: Side): number;
}

// Halvings of the axis: an end is then known to a hundred-thousandth of it, far closer than it matters.
const HALVINGS = 17;

/** The greatest bound that the difference is shown to be beyond, at this level; the end of the axis where nothing is shown. */
export function lowEnd(test: BoundTest, level: number, from: number, to: number): number {
  const needed = -Math.log(level);
  let shown = from;
  let open = to;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (shown + open) / 2;
    if (test.capital(middle, 'beyond') >= needed) shown = middle;
    else open = middle;
  }
  return shown;
}

/** The least bound that the difference is shown to be within. */
export function highEnd(test: BoundTest, level: number, from: number, to: number): number {
  const needed = -Math.log(level);
  let open = from;
  let shown = to;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (shown + open) / 2;
    if (test.capital(middle, 'within') >= needed) shown = middle;
    else open = middle;
  }
  return shown;
}
