/** How scores are spread: counts in fixed bins, so that the sketches of several workers add up to exactly that of one. */

/**
 * A bin is the upper bits of a score as a 32-bit float: sign, exponent, and 5 bits of the significand. So each power of two has 32 bins of
 * equal width, about 3 % apart. Scores nearer to 0 than 2^-16 share the bin of 0, those from 2^16 on the last one.
 *
 *   -65536 … -1 … -2^-16 | 0 | 2^-16 … 0.5 [32 bins] 1 … 65536
 */
const SIGNIFICAND_BITS = 5;
const SHIFT = 23 - SIGNIFICAND_BITS;
const LEAST_BITS = (127 - 16) << SIGNIFICAND_BITS;
const MOST_BITS = ((127 + 16) << SIGNIFICAND_BITS) - 1;
/** The largest bin; its negative is the smallest. */
export const LAST_BIN = MOST_BITS - LEAST_BITS + 1;

const scratch = new DataView(new ArrayBuffer(4));

/** Bins are in the order of the scores. NaN has none: nobody asks for it. */
export function binOf(score: number): number {
  scratch.setFloat32(0, Math.abs(score));
  const bits = scratch.getUint32(0) >>> SHIFT;
  if (bits < LEAST_BITS) return 0;
  const bin = Math.min(bits, MOST_BITS) - LEAST_BITS + 1;
  return score < 0 ? -bin : bin;
}

/** Counts by bin; at most two for each power of two and its 32 parts. Survives a structured clone. */
export type ScoreSketch = Map<number, number>;

export function addScore(sketch: ScoreSketch, score: number): void {
  if (Number.isNaN(score)) return;
  const bin = binOf(score);
  sketch.set(bin, (sketch.get(bin) ?? 0) + 1);
}

/** Adds `from` to `into`. */
export function addSketch(into: ScoreSketch, from: ReadonlyMap<number, number>): void {
  for (const [bin, count] of from) into.set(bin, (into.get(bin) ?? 0) + count);
}

export function countOf(sketch: ReadonlyMap<number, number>): number {
  let count = 0;
  for (const each of sketch.values()) count += each;
  return count;
}
