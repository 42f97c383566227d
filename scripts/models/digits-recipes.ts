/** The three digit models: how each version is built and trained. */

import { DigitConv, FILTER_SIDE, FILTERS, STRIDE } from './digit-conv.ts';
import { DigitMlp } from './digit-mlp.ts';
import { type Training, trainDigits } from './digit-training.ts';
import type { DigitSample } from './digits-data.ts';
import type { Recipe } from './release.ts';

const STABLE: Training = { seed: 1, epochs: 3, rate: 0.02, shiftPixels: 0 };
const CANARY: Training = { seed: 2, epochs: 40, rate: 0.02, shiftPixels: 1 };
const SHADOW: Training = { seed: 3, epochs: 10, rate: 0.01, shiftPixels: 0 };

const STABLE_HIDDEN = 32;
const CANARY_HIDDEN = 128;

export function digitRecipes(samples: readonly DigitSample[]): Recipe[] {
  return [
    {
      version: 1,
      role: 'stable',
      architecture: `perceptron 784-${STABLE_HIDDEN}-10, ReLU`,
      training: trainingText(STABLE),
      train: () => trainDigits(samples, STABLE, (random) => new DigitMlp(STABLE_HIDDEN, random)).graph(1),
    },
    {
      version: 2,
      role: 'canary',
      architecture: `perceptron 784-${CANARY_HIDDEN}-10, ReLU`,
      training: trainingText(CANARY),
      train: () => trainDigits(samples, CANARY, (random) => new DigitMlp(CANARY_HIDDEN, random)).graph(2),
    },
    {
      version: 3,
      role: 'shadow',
      architecture: `convolution, ${FILTERS} filters ${FILTER_SIDE}×${FILTER_SIDE}, stride ${STRIDE}, ReLU, then 10 scores`,
      training: trainingText(SHADOW),
      train: () => trainDigits(samples, SHADOW, (random) => new DigitConv(random)).graph(3),
    },
  ];
}

function trainingText({ seed, epochs, rate, shiftPixels }: Training): string {
  const moved = shiftPixels === 0 ? 'samples as they are' : `samples moved by up to ${shiftPixels} pixel each way`;
  return `seed ${seed}, ${epochs} epochs, rate ${rate} falling, ${moved}`;
}
