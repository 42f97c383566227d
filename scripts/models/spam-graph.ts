/** Writes a spam classifier as an ONNX graph that takes raw strings: lowering, splitting and counting happen inside the model. */

import { answerNodes, answerSignature } from './answer-nodes.ts';
import type { Attribute, Graph, GraphNode } from './onnx-graph.ts';
import type { SpamClassifier } from './spam-classifier.ts';
import { BIGRAM_JOINT } from './spam-terms.ts';
import { isPair, type Vocabulary } from './spam-vocabulary.ts';

export function spamGraph(classifier: SpamClassifier, version: number): Graph {
  const size = classifier.weights.length;
  // Scores are (-s/2, +s/2): their softmax is the sigmoid of s, and half the weights is exact in floating point.
  const half = classifier.weights.map((weight) => weight / 2);
  return {
    name: 'spam',
    version,
    inputs: [{ name: 'text', dataType: 'BYTES', shape: ['batch'] }],
    outputs: answerSignature(2),
    weights: [
      { name: 'weights', shape: [size, 1], values: half },
      { name: 'bias', shape: [1], values: Float32Array.of(classifier.bias / 2) },
    ],
    nodes: [
      ...termNodes(classifier.vocabulary),
      { op: 'MatMul', inputs: ['features', 'weights'], outputs: ['sum'] },
      { op: 'Add', inputs: ['sum', 'bias'], outputs: ['for_spam'] },
      { op: 'Neg', inputs: ['for_spam'], outputs: ['for_ham'] },
      { op: 'Concat', inputs: ['for_ham', 'for_spam'], outputs: ['scores'], attributes: { axis: int(1) } },
      ...answerNodes('scores'),
    ],
  };
}

/** From `text` to `features`: presence times rarity, scaled to length one; a text with no known term stays zero. */
function termNodes(vocabulary: Vocabulary): GraphNode[] {
  return [
    {
      op: 'StringNormalizer',
      inputs: ['text'],
      outputs: ['lowered'],
      // Without a locale the operator throws on machines that have no en_US.
      attributes: { case_change_action: text('LOWER'), is_case_sensitive: int(1), locale: text('C') },
    },
    { op: 'StringSplit', inputs: ['lowered'], outputs: ['words', 'word_counts'] },
    { op: 'TfIdfVectorizer', inputs: ['words'], outputs: ['presence'], attributes: vectorizerAttributes(vocabulary) },
    { op: 'LpNormalization', inputs: ['presence'], outputs: ['features'], attributes: { axis: int(1), p: int(2) } },
  ];
}

/** In mode IDF the operator gives a term's weight when it occurs at all, and 0 otherwise. */
function vectorizerAttributes({ terms, rarity, gramLengthMax }: Vocabulary): Record<string, Attribute> {
  const singles = terms.filter((term) => !isPair(term)).length;
  return {
    mode: text('IDF'),
    min_gram_length: int(1),
    max_gram_length: int(gramLengthMax),
    max_skip_count: int(0),
    ngram_counts: { is: 'ints', value: gramLengthMax === 1 ? [0] : [0, singles] },
    ngram_indexes: { is: 'ints', value: terms.map((_, column) => column) },
    pool_strings: { is: 'texts', value: terms.flatMap((term) => term.split(BIGRAM_JOINT)) },
    weights: { is: 'floats', value: rarity },
  };
}

function int(value: number): Attribute {
  return { is: 'int', value };
}

function text(value: string): Attribute {
  return { is: 'text', value };
}
