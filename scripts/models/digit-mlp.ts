/** A perceptron with one hidden layer for digits: it learns one sample at a time and writes itself as an ONNX graph. */

import { digitGraph } from './digit-graph.ts';
import { DIGIT_CLASSES, DIGIT_PIXELS } from './digits-data.ts';
import type { Graph } from './onnx-graph.ts';
import { OutputLayer } from './output-layer.ts';
import type { SeededRandom } from './seeded-random.ts';

export class DigitMlp {
  readonly #hidden: number;
  /** Row-major [784, hidden]: a dark pixel skips one whole row, and four pixels in five are dark. */
  readonly #weights: Float32Array;
  readonly #biases: Float32Array;
  readonly #values: Float32Array;
  readonly #output: OutputLayer;

  constructor(hidden: number, random: SeededRandom) {
    this.#hidden = hidden;
    this.#weights = random.weights(DIGIT_PIXELS * hidden, DIGIT_PIXELS);
    this.#biases = new Float32Array(hidden);
    this.#values = new Float32Array(hidden);
    this.#output = new OutputLayer(hidden, random);
  }

  learn(pixels: Float32Array, label: number, rate: number): void {
    this.#look(pixels);
    this.#output.learn(this.#values, label, rate);
    const gradient = this.#output.inputGradient;
    const hidden = this.#hidden;
    for (let pixel = 0; pixel < DIGIT_PIXELS; pixel += 1) {
      const step = rate * pixels[pixel]!;
      if (step === 0) continue;
      const row = pixel * hidden;
      for (let unit = 0; unit < hidden; unit += 1) this.#weights[row + unit]! -= step * gradient[unit]!;
    }
    for (let unit = 0; unit < hidden; unit += 1) this.#biases[unit]! -= rate * gradient[unit]!;
  }

  graph(version: number): Graph {
    const hidden = this.#hidden;
    return digitGraph({
      version,
      weights: [
        { name: 'hidden_weights', shape: [DIGIT_PIXELS, hidden], values: this.#weights },
        { name: 'hidden_biases', shape: [hidden], values: this.#biases },
        { name: 'output_weights', shape: [hidden, DIGIT_CLASSES], values: this.#output.weights },
        { name: 'output_biases', shape: [DIGIT_CLASSES], values: this.#output.biases },
      ],
      nodes: [
        { op: 'Flatten', inputs: ['image'], outputs: ['pixels'], attributes: { axis: { is: 'int', value: 1 } } },
        { op: 'MatMul', inputs: ['pixels', 'hidden_weights'], outputs: ['hidden_sums'] },
        { op: 'Add', inputs: ['hidden_sums', 'hidden_biases'], outputs: ['hidden_scores'] },
        { op: 'Relu', inputs: ['hidden_scores'], outputs: ['features'] },
      ],
    });
  }

  /** Fills `#values` with the hidden layer after its ReLU. */
  #look(pixels: Float32Array): void {
    const values = this.#values;
    const hidden = this.#hidden;
    values.set(this.#biases);
    for (let pixel = 0; pixel < DIGIT_PIXELS; pixel += 1) {
      const value = pixels[pixel]!;
      if (value === 0) continue;
      const row = pixel * hidden;
      for (let unit = 0; unit < hidden; unit += 1) values[unit]! += value * this.#weights[row + unit]!;
    }
    for (let unit = 0; unit < hidden; unit += 1) if (values[unit]! < 0) values[unit] = 0;
  }
}
