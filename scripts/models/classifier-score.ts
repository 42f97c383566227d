/** Runs a written ONNX classifier over samples in onnxruntime and counts what it gets right: the figures on the model cards. */

import { InferenceSession, type Tensor } from 'onnxruntime-node';

export type Score = {
  /** The share of samples answered rightly, 0 to 1. */
  readonly accuracy: number;
  /** For each class, the share of its samples found. */
  readonly recalls: readonly number[];
  /** All probabilities, row after row. */
  readonly probabilities: Float32Array;
};

export type Classifier = {
  readonly bytes: Uint8Array;
  readonly inputName: string;
  readonly classes: number;
};

const BATCH = 100;

/** One thread each way: the sums are then taken in the same order every time. */
export function openSession(bytes: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

/** `toTensor` packs a batch of samples into the model's one input. */
export async function scoreClassifier<S extends { readonly label: number }>(
  classifier: Classifier,
  samples: readonly S[],
  toTensor: (batch: readonly S[]) => Tensor,
): Promise<Score> {
  const session = await openSession(classifier.bytes);
  const found = new Array<number>(classifier.classes).fill(0);
  const seen = new Array<number>(classifier.classes).fill(0);
  const probabilities = new Float32Array(samples.length * classifier.classes);
  for (let start = 0; start < samples.length; start += BATCH) {
    const batch = samples.slice(start, start + BATCH);
    const outputs = await session.run({ [classifier.inputName]: toTensor(batch) });
    const labels = outputs['label']!.data as BigInt64Array;
    probabilities.set(outputs['probabilities']!.data as Float32Array, start * classifier.classes);
    for (const [row, { label }] of batch.entries()) {
      seen[label]! += 1;
      if (Number(labels[row]) === label) found[label]! += 1;
    }
  }
  await session.release();
  const right = found.reduce((sum, count) => sum + count, 0);
  return { accuracy: right / samples.length, recalls: found.map((count, label) => count / seen[label]!), probabilities };
}
