/** A linear spam classifier over the terms of a text: logistic regression on rarity-weighted presence, scaled to length one. */

import { SeededRandom } from './seeded-random.ts';
import { SPAM, type SpamSample } from './spam-data.ts';
import { termsOf } from './spam-terms.ts';
import type { Vocabulary } from './spam-vocabulary.ts';

export type SpamTraining = {
  readonly seed: number;
  readonly epochs: number;
  /** AdaGrad's step. */
  readonly rate: number;
  /** How strongly weights are pulled to zero. */
  readonly decay: number;
};

export type SpamClassifier = {
  readonly vocabulary: Vocabulary;
  /** One a term: positive speaks for spam. */
  readonly weights: Float32Array;
  /** The log-odds of spam among the training mails: the answer for a text with no known term. */
  readonly bias: number;
};

/** The columns a text touches, and their values after scaling. */
type Features = { readonly columns: Int32Array; readonly values: Float64Array };

export function trainSpam(samples: readonly SpamSample[], vocabulary: Vocabulary, plan: SpamTraining): SpamClassifier {
  const random = new SeededRandom(plan.seed);
  const featuresOf = featureReader(vocabulary);
  const rows = samples.map(({ text, label }) => ({ label, ...featuresOf(text) }));
  const weights = new Float64Array(vocabulary.terms.length);
  const squares = new Float64Array(vocabulary.terms.length).fill(1e-3); // a floor, so that the first step is finite
  const spamMails = samples.filter(({ label }) => label === SPAM).length;
  const bias = Math.fround(Math.log(spamMails / (samples.length - spamMails)));
  for (let epoch = 0; epoch < plan.epochs; epoch += 1) {
    for (const row of random.shuffle(rows)) {
      const error = sigmoid(weigh(row, weights, bias)) - row.label;
      for (let index = 0; index < row.columns.length; index += 1) {
        const column = row.columns[index]!;
        const gradient = error * row.values[index]! + plan.decay * weights[column]!;
        squares[column]! += gradient * gradient;
        weights[column]! -= (plan.rate * gradient) / Math.sqrt(squares[column]!);
      }
    }
  }
  return { vocabulary, weights: Float32Array.from(weights), bias };
}

/** The probability of spam, as the ONNX file should give it. */
export function spamScorer(classifier: SpamClassifier): (text: string) => number {
  const featuresOf = featureReader(classifier.vocabulary);
  return (text) => sigmoid(weigh(featuresOf(text), classifier.weights, classifier.bias));
}

function featureReader({ terms, rarity, gramLengthMax }: Vocabulary): (text: string) => Features {
  const columnOf = new Map(terms.map((term, column) => [term, column]));
  return (text) => {
    const known = [...termsOf(text, gramLengthMax)].flatMap((term) => columnOf.get(term) ?? []);
    const columns = Int32Array.from(known).sort();
    const values = Float64Array.from(columns, (column) => rarity[column]!);
    const length = Math.hypot(...values);
    return { columns, values: length === 0 ? values : values.map((value) => value / length) };
  };
}

function weigh({ columns, values }: Features, weights: Float32Array | Float64Array, bias: number): number {
  let score = bias;
  for (let index = 0; index < columns.length; index += 1) score += values[index]! * weights[columns[index]!]!;
  return score;
}

function sigmoid(score: number): number {
  return 1 / (1 + Math.exp(-score));
}
