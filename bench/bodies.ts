/** The two questions of the benchmark: 16 numbers, where the wire costs most, and a real digit of 784, where the numbers do. */

import { digitInput, restBody, type SampleInput } from '../scripts/demo/sample-input.ts';
import { loadDigits } from '../scripts/models/digits-data.ts';
import type { Datatype } from '../src/core/datatype.ts';
import type { Tensor } from '../src/core/inference.ts';
import type { Signature } from '../src/core/signature.ts';

export type BodyName = 'small' | 'digit';

export interface Question {
  readonly input: SampleInput;
  /** As JSON, for REST. */
  readonly json: string;
}

const SMALL_VALUES = 16;

export const SIGNATURES: Readonly<Record<BodyName, Signature>> = {
  small: {
    platform: 'fixed',
    decoupled: false,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, SMALL_VALUES] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4] }],
  },
  digit: {
    platform: 'fixed',
    decoupled: false,
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 28, 28] }],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
      { name: 'label', datatype: 'INT64', shape: [-1] },
    ],
  },
};

/** What a server gives that answers without thinking. */
export const FIXED_OUTPUTS: Readonly<Record<BodyName, readonly Tensor[]>> = {
  small: [tensor('y', 'FP32', [1, 4], Float32Array.of(0.125, 0.25, 0.5, 1))],
  digit: [
    tensor('probabilities', 'FP32', [1, 10], Float32Array.of(0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.9, 0.02)),
    tensor('label', 'INT64', [1], BigInt64Array.of(8n)),
  ],
};

export function questions(): Readonly<Record<BodyName, Question>> {
  return { small: question(smallInput()), digit: question(digitInput(loadDigits().heldOut[0]!.pixels)) };
}

const question = (input: SampleInput): Question => ({ input, json: restBody(input) });

function smallInput(): SampleInput {
  const values = Float32Array.from({ length: SMALL_VALUES }, (_, i) => (i + 1) / SMALL_VALUES);
  const bytes = new Uint8Array(values.buffer);
  return { name: 'x', datatype: 'FP32', shape: [1, SMALL_VALUES], values: [...values], bytes };
}

function tensor(name: string, datatype: Datatype, shape: readonly number[], values: Float32Array | BigInt64Array): Tensor {
  return { name, datatype, shape, data: new Uint8Array(values.buffer) };
}
