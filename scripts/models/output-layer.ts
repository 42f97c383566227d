/** The last layer of a digit network, ten scores and a softmax, trained one sample at a time. */

import { DIGIT_CLASSES } from './digits-data.ts';
import type { SeededRandom } from './seeded-random.ts';

export class OutputLayer {
  /** Row-major [inputs, 10], as ONNX MatMul takes it. */
  readonly weights: Float32Array;
  readonly biases = new Float32Array(DIGIT_CLASSES);
  /** The gradient at this layer's inputs, from the last `learn`. */
  readonly inputGradient: Float32Array;
  readonly #errors = new Float64Array(DIGIT_CLASSES);

  constructor(inputs: number, random: SeededRandom) {
    this.weights = random.weights(inputs * DIGIT_CLASSES, inputs);
    this.inputGradient = new Float32Array(inputs);
  }

  /** Scores `inputs`, takes one step of gradient descent, and leaves the gradient for the layer before. */
  learn(inputs: Float32Array, label: number, rate: number): void {
    this.#score(inputs);
    this.#errors[label]! -= 1;
    for (let input = 0; input < inputs.length; input += 1) {
      const value = inputs[input]!;
      // The ReLU before this layer gave 0: no weight moves and no gradient passes.
      if (value === 0) {
        this.inputGradient[input] = 0;
        continue;
      }
      let gradient = 0;
      const row = input * DIGIT_CLASSES;
      for (let digit = 0; digit < DIGIT_CLASSES; digit += 1) {
        gradient += this.#errors[digit]! * this.weights[row + digit]!;
        this.weights[row + digit]! -= rate * value * this.#errors[digit]!;
      }
      this.inputGradient[input] = gradient;
    }
    for (let digit = 0; digit < DIGIT_CLASSES; digit += 1) this.biases[digit]! -= rate * this.#errors[digit]!;
  }

  /** Leaves the ten probabilities in `#errors`. */
  #score(inputs: Float32Array): void {
    const scores = this.#errors;
    scores.set(this.biases);
    for (let input = 0; input < inputs.length; input += 1) {
      const value = inputs[input]!;
      if (value === 0) continue;
      for (let digit = 0; digit < DIGIT_CLASSES; digit += 1)
        scores[digit]! += value * this.weights[input * DIGIT_CLASSES + digit]!;
    }
    const highest = Math.max(...scores);
    let sum = 0;
    for (let digit = 0; digit < DIGIT_CLASSES; digit += 1) sum += scores[digit] = Math.exp(scores[digit]! - highest);
    for (let digit = 0; digit < DIGIT_CLASSES; digit += 1) scores[digit]! /= sum;
  }
}
