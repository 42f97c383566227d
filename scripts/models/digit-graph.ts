/** The frame every digit model shares: the same input and outputs, so that versions can take each other's place. */

import { answerNodes, answerSignature } from './answer-nodes.ts';
import { DIGIT_CLASSES, DIGIT_SIDE } from './digits-data.ts';
import type { Graph, GraphNode, Weights } from './onnx-graph.ts';

export type DigitFeatures = {
  readonly version: number;
  /** Holds `output_weights` and `output_biases`, and whatever the nodes need. */
  readonly weights: readonly Weights[];
  /** From `image` to `features`. */
  readonly nodes: readonly GraphNode[];
};

export function digitGraph({ version, weights, nodes }: DigitFeatures): Graph {
  return {
    name: 'digits',
    version,
    inputs: [{ name: 'image', dataType: 'FP32', shape: ['batch', DIGIT_SIDE, DIGIT_SIDE] }],
    outputs: answerSignature(DIGIT_CLASSES),
    weights,
    nodes: [
      ...nodes,
      { op: 'MatMul', inputs: ['features', 'output_weights'], outputs: ['sums'] },
      { op: 'Add', inputs: ['sums', 'output_biases'], outputs: ['scores'] },
      ...answerNodes('scores'),
    ],
  };
}
