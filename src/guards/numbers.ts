import { elementBytes } from '../core/datatype.ts';
import type { Tensor } from '../core/inference.ts';
import { longsOf, type Numbers, numbersOf } from '../core/number-view.ts';

/** The elements of a tensor for guards, which may be asked about one that no signature has been held against. */

export type BigNumbers = BigInt64Array | BigUint64Array;

/** Elements of a numeric tensor of at most 32 bits each, or of a floating one; half-width floats are widened. */
export function plainNumbersOf(tensor: Tensor): Numbers {
  checkWhole(tensor);
  if (tensor.datatype !== 'INT64' && tensor.datatype !== 'UINT64') {
    return numbersOf(tensor.datatype, tensor.data);
  }
  throw new Error(`tensor "${tensor.name}" is ${tensor.datatype}, whose elements are not plain numbers`);
}

/** Elements of an INT64 or UINT64 tensor. */
export function bigNumbersOf(tensor: Tensor): BigNumbers {
  checkWhole(tensor);
  return longsOf(tensor.datatype === 'INT64' ? 'INT64' : 'UINT64', tensor.data);
}

/** Throws where the last element is cut off, or there is no such thing as an element. */
function checkWhole(tensor: Tensor): void {
  const size = elementBytes(tensor.datatype);
  if (size === 0 || tensor.data.length % size !== 0) {
    throw new Error(
      `tensor "${tensor.name}" has ${tensor.data.length} bytes, which is no whole number of ${tensor.datatype} elements`,
    );
  }
}
