import { type InputRule, inputRule } from '../../../../src/config/model-schema.ts';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { Datatype } from '../../../../src/core/datatype.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import type { Signature, TensorSpec } from '../../../../src/core/signature.ts';

export const spec = (name: string, datatype: Datatype, ...shape: number[]): TensorSpec => ({ name, datatype, shape });

export const tensor = (name: string, datatype: Datatype, shape: readonly number[], data: ArrayBufferView): Tensor => ({
  name,
  datatype,
  shape,
  data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

export const floats = (name: string, shape: readonly number[], ...values: number[]): Tensor =>
  tensor(name, 'FP32', shape, new Float32Array(values));

export const strings = (name: string, shape: readonly number[], ...values: (string | Uint8Array)[]): Tensor =>
  tensor(name, 'BYTES', shape, joinByteStrings(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value))));

export function request(inputs: Tensor[], wanted: readonly string[] = []): InferenceRequest {
  return { task: 'predict', model: 'm', version: '', id: '', params: new Map(), inputs, wanted, timeoutUs: 0, sequenceId: '' };
}

export const signature = (inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): Signature => ({
  platform: 'onnx_onnxv1',
  decoupled: false,
  inputs,
  outputs,
});

export const rule = (changes: Partial<InputRule>): InputRule => ({ ...inputRule.parse({}), ...changes });
