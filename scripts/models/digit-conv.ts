/** A small convolution network for digits: eight 5×5 filters, stride 2, then ten scores; it writes itself as an ONNX graph. */

import { digitGraph } from './digit-graph.ts';
import { DIGIT_CLASSES, DIGIT_SIDE } from './digits-data.ts';
import type { Graph } from './onnx-graph.ts';
import { OutputLayer } from './output-layer.ts';
import type { SeededRandom } from './seeded-random.ts';

export const FILTERS = 8;
export const FILTER_SIDE = 5;
export const STRIDE = 2;
const FILTER_SIZE = FILTER_SIDE * FILTER_SIDE;
const MAP_SIDE = Math.floor((DIGIT_SIDE - FILTER_SIDE) / STRIDE) + 1;
const MAP_SIZE = MAP_SIDE * MAP_SIDE;
const FEATURES = FILTERS * MAP_SIZE;

export class DigitConv {
  readonly #filters: Float32Array;
  readonly #biases = new Float32Array(FILTERS);
  /** Laid out [filter, row, column], the order in which ONNX flattens a convolution. */
  readonly #features = new Float32Array(FEATURES);
  readonly #output: OutputLayer;

  constructor(random: SeededRandom) {
    this.#filters = random.weights(FILTERS * FILTER_SIZE, FILTER_SIZE);
    this.#output = new OutputLayer(FEATURES, random);
  }

  learn(pixels: Float32Array, label: number, rate: number): void {
    for (let feature = 0; feature < FEATURES; feature += 1) {
      const score = this.#scoreAt(pixels, feature);
      this.#features[feature] = score > 0 ? score : 0;
    }
    this.#output.learn(this.#features, label, rate);
    const gradient = this.#output.inputGradient;
    for (let feature = 0; feature < FEATURES; feature += 1) {
      const step = rate * gradient[feature]!;
      if (step !== 0) this.#moveFilter(pixels, feature, step);
    }
  }

  graph(version: number): Graph {
    return digitGraph({
      version,
      weights: [
        { name: 'filters', shape: [FILTERS, 1, FILTER_SIDE, FILTER_SIDE], values: this.#filters },
        { name: 'filter_biases', shape: [FILTERS], values: this.#biases },
        { name: 'output_weights', shape: [FEATURES, DIGIT_CLASSES], values: this.#output.weights },
        { name: 'output_biases', shape: [DIGIT_CLASSES], values: this.#output.biases },
      ],
      nodes: [
        { op: 'Constant', inputs: [], outputs: ['channel_axis'], attributes: { value_ints: { is: 'ints', value: [1] } } },
        { op: 'Unsqueeze', inputs: ['image', 'channel_axis'], outputs: ['channels'] },
        {
          op: 'Conv',
          inputs: ['channels', 'filters', 'filter_biases'],
          outputs: ['map_scores'],
          attributes: { strides: { is: 'ints', value: [STRIDE, STRIDE] } },
        },
        { op: 'Relu', inputs: ['map_scores'], outputs: ['maps'] },
        { op: 'Flatten', inputs: ['maps'], outputs: ['features'], attributes: { axis: { is: 'int', value: 1 } } },
      ],
    });
  }

  #scoreAt(pixels: Float32Array, feature: number): number {
    const filter = Math.floor(feature / MAP_SIZE);
    const corner = cornerOf(feature);
    let score = this.#biases[filter]!;
    for (let row = 0; row < FILTER_SIDE; row += 1) {
      const from = corner + row * DIGIT_SIDE;
      const weight = filter * FILTER_SIZE + row * FILTER_SIDE;
      for (let column = 0; column < FILTER_SIDE; column += 1) score += pixels[from + column]! * this.#filters[weight + column]!;
    }
    return score;
  }

  #moveFilter(pixels: Float32Array, feature: number, step: number): void {
    const filter = Math.floor(feature / MAP_SIZE);
    const corner = cornerOf(feature);
    this.#biases[filter]! -= step;
    for (let row = 0; row < FILTER_SIDE; row += 1) {
      const from = corner + row * DIGIT_SIDE;
      const weight = filter * FILTER_SIZE + row * FILTER_SIDE;
      for (let column = 0; column < FILTER_SIDE; column += 1) this.#filters[weight + column]! -= step * pixels[from + column]!;
    }
  }
}

/** The index of the top left pixel that a feature looks at. */
function cornerOf(feature: number): number {
  const place = feature % MAP_SIZE;
  const row = Math.floor(place / MAP_SIDE);
  return row * STRIDE * DIGIT_SIDE + (place - row * MAP_SIDE) * STRIDE;
}
