/** Moves a digit by a few pixels: the augmentation that teaches a network that place does not matter. */

import { DIGIT_SIDE } from './digits-data.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Writes `pixels`, moved by up to `reach` pixels each way, into `moved`; what leaves the frame is lost. */
export function shiftDigit(pixels: Float32Array, moved: Float32Array, reach: number, random: SeededRandom): void {
  const right = random.below(2 * reach + 1) - reach;
  const down = random.below(2 * reach + 1) - reach;
  moved.fill(0);
  for (let row = Math.max(0, -down); row < Math.min(DIGIT_SIDE, DIGIT_SIDE - down); row += 1) {
    for (let column = Math.max(0, -right); column < Math.min(DIGIT_SIDE, DIGIT_SIDE - right); column += 1) {
      moved[(row + down) * DIGIT_SIDE + column + right] = pixels[row * DIGIT_SIDE + column]!;
    }
  }
}
