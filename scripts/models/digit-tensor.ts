/** Packs digit samples into the one input tensor of the digit models. */

import { Tensor } from 'onnxruntime-node';
import { DIGIT_PIXELS, DIGIT_SIDE, type DigitSample } from './digits-data.ts';

export function digitTensor(batch: readonly DigitSample[]): Tensor {
  const pixels = new Float32Array(batch.length * DIGIT_PIXELS);
  for (const [row, sample] of batch.entries()) pixels.set(sample.pixels, row * DIGIT_PIXELS);
  return new Tensor('float32', pixels, [batch.length, DIGIT_SIDE, DIGIT_SIDE]);
}
