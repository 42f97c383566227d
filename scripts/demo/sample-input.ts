/** The one input of a model, in both forms that callers send it: JSON values for REST, little-endian bytes for gRPC. */

import { joinByteStrings } from '../../src/core/byte-strings.ts';
import type { Datatype } from '../../src/core/datatype.ts';
import { DIGIT_SIDE } from '../models/digits-data.ts';

export interface SampleInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
  readonly bytes: Uint8Array;
}

export function digitInput(pixels: Float32Array): SampleInput {
  return {
    name: 'image',
    datatype: 'FP32',
    shape: [1, DIGIT_SIDE, DIGIT_SIDE],
    values: Array.from(pixels, threeDecimals),
    bytes: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength),
  };
}

export function mailInput(text: string): SampleInput {
  return { name: 'text', datatype: 'BYTES', shape: [1], values: [text], bytes: joinByteStrings([Buffer.from(text)]) };
}

/** The body of a REST request. `id` is left out when it is empty. */
export function restBody(input: SampleInput, id = ''): string {
  const { name, datatype, shape, values } = input;
  const inputs = [{ name, shape, datatype, data: values }];
  return JSON.stringify(id === '' ? { inputs } : { id, inputs });
}

/** The data set states brightness to three decimals; as 32-bit floats they would print with many more. */
const threeDecimals = (value: number): number => Math.round(value * 1_000) / 1_000;
