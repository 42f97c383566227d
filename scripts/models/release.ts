/** One trained version of a model, from graph to file: encodes it, measures it on held-out samples and writes it. */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Tensor } from 'onnxruntime-node';
import { type Score, scoreClassifier } from './classifier-score.ts';
import { encodeOnnx, type Graph } from './onnx-graph.ts';

export type Recipe = {
  readonly version: number;
  readonly role: 'stable' | 'canary' | 'shadow';
  readonly architecture: string;
  readonly training: string;
  train(): Graph;
};

export type Release = {
  readonly recipe: Recipe;
  /** Relative to the model folder. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly score: Score;
  readonly tookMs: number;
};

export type HeldOut<S> = { readonly samples: readonly S[]; readonly toTensor: (batch: readonly S[]) => Tensor };

const MODELS_FOLDER = new URL('../../models/', import.meta.url);

export function modelFolder(model: string): URL {
  return new URL(`${model}/`, MODELS_FOLDER);
}

export async function release<S extends { readonly label: number }>(recipe: Recipe, heldOut: HeldOut<S>): Promise<Release> {
  const startMs = performance.now();
  const graph = recipe.train();
  const tookMs = performance.now() - startMs;
  const bytes = encodeOnnx(graph);
  const classes = graph.outputs[0]?.shape[1] as number;
  const classifier = { bytes, inputName: graph.inputs[0]!.name, classes };
  const score = await scoreClassifier(classifier, heldOut.samples, heldOut.toTensor);
  const file = `v${recipe.version}.onnx`;
  const folder = modelFolder(graph.name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(file, folder), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { recipe, file, sizeBytes: bytes.byteLength, sha256, score, tookMs };
}
