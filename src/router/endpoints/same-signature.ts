import type { Signature, TensorSpec } from '../../core/signature.ts';

/** How an endpoint's signature differs from that of the first; empty when it does not. The order of tensors may. */
export function signatureDifference(first: Signature, other: Signature): string {
  if (first.decoupled !== other.decoupled) return 'one is decoupled and the other is not';
  return tensorsDifference('inputs', first.inputs, other.inputs) || tensorsDifference('outputs', first.outputs, other.outputs);
}

function tensorsDifference(side: string, first: readonly TensorSpec[], other: readonly TensorSpec[]): string {
  const expected = first.map(textOf).sort().join(', ');
  const found = other.map(textOf).sort().join(', ');
  return expected === found ? '' : `found ${side} ${found || 'none'}; the first endpoint states ${expected || 'none'}`;
}

const textOf = ({ name, datatype, shape }: TensorSpec): string => `"${name}" ${datatype} [${shape.join(', ')}]`;
