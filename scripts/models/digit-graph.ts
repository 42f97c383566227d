/** The frame every digit model shares: the same input and outputs, so that versions can take each other's place. */

import { DIGIT_CLASSES, DIGIT_SIDE } from './digits-data.ts';
import type { Graph, GraphNode, Signature, Weights } from './onnx-graph.ts';

export const DIGIT_INPUT: Signature = { name: 'image', dataType: 'FP32', shape: ['batch', DIGIT_SIDE, DIGIT_SIDE] };
export const DIGIT_OUTPUTS: readonly Signature[] = [
  { name: 'probabilities', dataType: 'FP32', shape: ['batch', DIGIT_CLASSES] },
  { name: 'label', dataType: 'INT64', shape: ['batch'] },
];

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
    inputs: [DIGIT_INPUT],
    outputs: DIGIT_OUTPUTS,
    weights,
    nodes: [
      ...nodes,
      { op: 'MatMul', inputs: ['features', 'output_weights'], outputs: ['sums'] },
      { op: 'Add', inputs: ['sums', 'output_biases'], outputs: ['scores'] },
      ...answerNodes('scores'),
    ],
  };
}

/** From scores [batch, classes] to the two outputs that digits and spam have in common. */
export function answerNodes(scores: string): GraphNode[] {
  return [
    { op: 'Softmax', inputs: [scores], outputs: ['probabilities'], attributes: { axis: { is: 'int', value: 1 } } },
    {
      op: 'ArgMax',
      inputs: ['probabilities'],
      outputs: ['label'],
      attributes: { axis: { is: 'int', value: 1 }, keepdims: { is: 'int', value: 0 } },
    },
  ];
}
