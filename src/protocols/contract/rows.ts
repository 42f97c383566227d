import type { Signature } from '../../core/signature.ts';

/** Whether dimension 0 counts rows, as far as a signature can tell: every input leaves it free. */
export function countsRows(signature: Signature): boolean {
  return signature.inputs.length > 0 && signature.inputs.every((spec) => spec.shape[0] === -1);
}
