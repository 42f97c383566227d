import { SeededRandom } from '../models/seeded-random.ts';

// From here on a Poisson number is drawn as a rounded normal one: its skewness, a sixth, is small beside what is simulated.
const NORMAL_FROM = 36;

/** Random numbers of the distributions that a simulation needs, the same for the same seed. */
export class Draws {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  uniform(): number {
    return this.#random.next();
  }

  normal(): number {
    return NORMALS[this.#random.below(NORMALS.length)]!;
  }

  poisson(mean: number): number {
    if (!(mean > 0)) return 0;
    if (mean >= NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const least = Math.exp(-mean);
    let count = 0;
    for (let product = this.#random.next(); product > least; product *= this.#random.next()) count++;
    return count;
  }

  /** Heavy-tailed: the mean is finite, the variance is not for shapes up to 2. */
  pareto(shape: number): number {
    return (1 - this.#random.next()) ** (-1 / shape);
  }
}

/** Normal numbers to draw from, by the polar method of Marsaglia, made to have mean 0 and variance 1: drawing from them is faster than making new ones. */
const NORMALS = normals(1 << 16);

function normals(count: number): Float64Array {
  const random = new SeededRandom(1_927);
  const made = new Float64Array(count);
  for (let i = 0; i < count; ) {
    const x = 2 * random.next() - 1;
    const y = 2 * random.next() - 1;
    const square = x * x + y * y;
    if (square >= 1 || square === 0) continue;
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    made[i++] = x * factor;
    made[i++] = y * factor;
  }
  const mean = made.reduce((sum, one) => sum + one, 0) / count;
  const deviation = Math.sqrt(made.reduce((sum, one) => sum + (one - mean) ** 2, 0) / count);
  return made.map((one) => (one - mean) / deviation);
}
