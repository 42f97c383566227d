import type { Tensor } from '../../../src/core/inference.ts';

/** The tensor as JSON can say it: there is one NaN and there are two booleans. In fresh bytes. */
export function jsonBits(tensor: Tensor): Tensor {
  const data = Uint8Array.from(tensor.data);
  if (tensor.datatype === 'BOOL') return { ...tensor, data: data.map((byte) => byte & 1) };
  if (tensor.datatype !== 'FP32' && tensor.datatype !== 'FP64') return { ...tensor, data };
  const values = tensor.datatype === 'FP32' ? new Float32Array(data.buffer) : new Float64Array(data.buffer);
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = 1;
  return { ...tensor, data };
}
