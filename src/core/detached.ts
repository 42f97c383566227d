import type { InferenceRequest, Tensor } from './inference.ts';

/** Tensors without their bytes, which travel to a thread and back beside them. */

const NOTHING = new Uint8Array(0);

export function headsOf(tensors: readonly Tensor[]): Tensor[] {
  return tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape, data: NOTHING }));
}

export function bytesOf(tensors: readonly Tensor[]): Uint8Array[] {
  return tensors.map((tensor) => tensor.data);
}

/** The inverse of the two above. */
export function tensorsOf(heads: readonly Tensor[], bytes: readonly Uint8Array[]): Tensor[] {
  return heads.map(({ name, datatype, shape }, i) => ({ name, datatype, shape, data: bytes[i]! }));
}

export function detached(request: InferenceRequest): InferenceRequest {
  return { ...request, inputs: headsOf(request.inputs) };
}

export function attached(request: InferenceRequest, bytes: readonly Uint8Array[]): InferenceRequest {
  return { ...request, inputs: tensorsOf(request.inputs, bytes) };
}

export function totalBytes(tensors: readonly Tensor[]): number {
  let total = 0;
  for (let i = 0; i < tensors.length; i++) total += tensors[i]!.data.length;
  return total;
}
