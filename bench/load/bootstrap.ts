/** A ratio that was measured in rounds, and how sure it is. */

export interface RatioInterval {
  /** Geometric mean over the rounds. */
  readonly ratio: number;
  /** Between them lies the true ratio with a chance of 95 %. */
  readonly low: number;
  readonly high: number;
}

const DRAWS = 10_000;
const TAIL = 0.025;

/**
 * Rounds are drawn again and again with replacement (Efron's percentile bootstrap): requests of one round are no independent ones, rounds are.
 * `random` gives numbers in [0, 1).
 */
export function bootstrapRatio(ratios: readonly number[], random: () => number): RatioInterval {
  const logs = ratios.map(Math.log);
  const means = Array.from({ length: DRAWS }, () => {
    let sum = 0;
    for (let i = 0; i < logs.length; i++) sum += logs[Math.floor(random() * logs.length)]!;
    return sum / logs.length;
  }).sort((a, b) => a - b);
  const at = (share: number): number => Math.exp(means[Math.min(DRAWS - 1, Math.floor(share * DRAWS))]!);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return { ratio: Math.exp(mean), low: at(TAIL), high: at(1 - TAIL) };
}
