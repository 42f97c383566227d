/** Packs spam samples into the one input tensor of the spam models. */

import { Tensor } from 'onnxruntime-node';

export function spamTensor(batch: readonly { readonly text: string }[]): Tensor {
  return new Tensor(
    'string',
    batch.map(({ text }) => text),
    [batch.length],
  );
}
