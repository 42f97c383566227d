import type { DriftView } from '../../core/comparison.ts';
import { countOf } from './score-sketch.ts';

/** How far two spreads of scores lie apart, by the two figures in use for it. */

type Sketch = ReadonlyMap<number, number>;

/** Deciles, as is usual: more groups would measure chance, fewer would see less. */
const GROUPS = 10;
/** Added to each group, so that an empty one makes no infinity of a logarithm. */
const PRIOR = 0.5;

/**
 * Population stability index, `Σ (v - s) · ln(v / s)`, and Jensen-Shannon divergence to the base 2, over groups that hold a tenth of
 * stable's scores each. Null before both have scores.
 */
export function driftOf(stable: Sketch, variant: Sketch): DriftView | null {
  const [stableScores, variantScores] = [countOf(stable), countOf(variant)];
  if (stableScores === 0 || variantScores === 0) return null;
  const edges = edgesOf(stable, stableScores / GROUPS);
  const s = sharesOf(grouped(stable, edges), stableScores);
  const v = sharesOf(grouped(variant, edges), variantScores);
  let psi = 0;
  let divergence = 0;
  for (let i = 0; i < s.length; i++) {
    const [a, b] = [s[i]!, v[i]!];
    psi += (b - a) * Math.log(b / a);
    const middle = (a + b) / 2;
    divergence += (a * Math.log2(a / middle) + b * Math.log2(b / middle)) / 2;
  }
  return { psi, jensenShannon: Math.max(0, divergence), stableScores, variantScores };
}

/** The last bin of each group but the last, which is open. A bin that fills a group alone gets one: what lies beside it must not hide in it. */
export function edgesOf(sketch: Sketch, size: number): number[] {
  const edges: number[] = [];
  let held = 0;
  for (const bin of [...sketch.keys()].sort((a, b) => a - b)) {
    const count = sketch.get(bin)!;
    const isHeavy = count >= size;
    if (isHeavy && edges.at(-1) !== bin - 1) edges.push(bin - 1);
    held = isHeavy ? count : held + count;
    if (held < size) continue;
    edges.push(bin);
    held = 0;
  }
  return edges;
}

function grouped(sketch: Sketch, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const [bin, count] of sketch) {
    const at = edges.findIndex((edge) => bin <= edge);
    counts[at === -1 ? edges.length : at]! += count;
  }
  return counts;
}

function sharesOf(counts: readonly number[], total: number): number[] {
  return counts.map((count) => (count + PRIOR) / (total + PRIOR * counts.length));
}
