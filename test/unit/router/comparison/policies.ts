import { type ComparisonConfig, comparison } from '../../../../src/config/comparison-schema.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { AnswerComparer } from '../../../../src/router/comparison/answer-comparer.ts';

/** The defaults of the config, but for what is given. */
export const policyOf = (more: Partial<ComparisonConfig> = {}): ComparisonConfig => ({ ...comparison.parse({}), ...more });

export const comparerFor = (more: Partial<ComparisonConfig> = {}): AnswerComparer => new AnswerComparer(policyOf(more));

export function doubles(values: readonly number[], shape: readonly number[] = [1, values.length], name = 'scores'): Tensor {
  return { name, datatype: 'FP64', shape, data: new Uint8Array(Float64Array.from(values).buffer) };
}

export function halves(datatype: 'FP16' | 'BF16', bits: readonly number[], name = 'scores'): Tensor {
  return { name, datatype, shape: [1, bits.length], data: new Uint8Array(Uint16Array.from(bits).buffer) };
}

export function labels(values: readonly number[], datatype: Tensor['datatype'] = 'INT32', name = 'label'): Tensor {
  return { name, datatype, shape: [values.length], data: new Uint8Array(Int32Array.from(values).buffer) };
}

export function unaligned(tensor: Tensor): Tensor {
  const body = new Uint8Array(tensor.data.length + 3);
  body.set(tensor.data, 3);
  return { ...tensor, data: body.subarray(3) };
}
