import type { MeanView, ShareView } from '../../core/comparison.ts';

/** Means and shares that add up over workers, and their intervals. */

/** The normal quantile of 95 %, two-sided. */
const Z = 1.959964;

/** Count, sum and sum of squares. */
export interface Moments {
  count: number;
  sum: number;
  squares: number;
}

export const noMoments = (): Moments => ({ count: 0, sum: 0, squares: 0 });

export function note(moments: Moments, value: number): void {
  moments.count++;
  moments.sum += value;
  moments.squares += value * value;
}

export function addMoments(into: Moments, from: Moments): void {
  into.count += from.count;
  into.sum += from.sum;
  into.squares += from.squares;
}

/** The mean with the interval of a normal mean; below two values there is none, and both ends are the mean. */
export function meanOf({ count, sum, squares }: Moments): MeanView {
  const mean = count === 0 ? 0 : sum / count;
  if (count < 2) return { count, mean, low: mean, high: mean };
  // Rounding may leave a variance of 0 a little below.
  const variance = Math.max(0, (squares - sum * mean) / (count - 1));
  const half = Z * Math.sqrt(variance / count);
  return { count, mean, low: mean - half, high: mean + half };
}

/** The share with the interval of Wilson (1927), which holds for small counts and shares near 0 and 1 too. */
export function shareOf(count: number, of: number): ShareView {
  if (of === 0) return { count, of, share: 0, low: 0, high: 1 };
  const share = count / of;
  const spread = Z * Math.sqrt((share * (1 - share) + (Z * Z) / (4 * of)) / of);
  const centre = share + (Z * Z) / (2 * of);
  const scale = 1 + (Z * Z) / of;
  return { count, of, share, low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}
