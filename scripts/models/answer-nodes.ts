/** The end every classifier shares: from scores [batch, classes] to `probabilities` and `label`. */

import type { GraphNode, Signature } from './onnx-graph.ts';

export function answerSignature(classes: number): readonly Signature[] {
  return [
    { name: 'probabilities', dataType: 'FP32', shape: ['batch', classes] },
    { name: 'label', dataType: 'INT64', shape: ['batch'] },
  ];
}

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
