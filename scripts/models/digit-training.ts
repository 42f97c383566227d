/** The training loop every digit network shares: shuffled epochs, a falling rate, and moved copies where asked. */

import { shiftDigit } from './digit-shift.ts';
import { DIGIT_PIXELS, type DigitSample } from './digits-data.ts';
import { SeededRandom } from './seeded-random.ts';

export type Training = {
  readonly seed: number;
  readonly epochs: number;
  /** The step at the start; it falls in a straight line to a twentieth. */
  readonly rate: number;
  /** How far a sample may be moved each way, in pixels; 0 leaves it where it is. */
  readonly shiftPixels: number;
};

export type Learner = { learn(pixels: Float32Array, label: number, rate: number): void };

const LAST_RATE_SHARE = 0.05;

export function trainDigits<L extends Learner>(
  samples: readonly DigitSample[],
  plan: Training,
  make: (random: SeededRandom) => L,
): L {
  const random = new SeededRandom(plan.seed);
  const learner = make(random);
  const order = [...samples];
  const moved = new Float32Array(DIGIT_PIXELS);
  const steps = plan.epochs * order.length;
  let step = 0;
  for (let epoch = 0; epoch < plan.epochs; epoch += 1) {
    for (const sample of random.shuffle(order)) {
      const rate = plan.rate * (1 - (1 - LAST_RATE_SHARE) * (step / steps));
      if (plan.shiftPixels > 0) shiftDigit(sample.pixels, moved, plan.shiftPixels, random);
      learner.learn(plan.shiftPixels > 0 ? moved : sample.pixels, sample.label, rate);
      step += 1;
    }
  }
  return learner;
}
