import { countByteStrings } from '../../core/byte-strings.ts';
import { elementBytes, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import type { TensorSpec } from '../../core/signature.ts';
import { quoted, shapeText } from '../../wire/json/message-text.ts';

/** Why a tensor does not have the form that `spec` gives it: datatype, shape, and as many bytes as the shape needs. Empty when it has. */
export function formFault(tensor: Tensor, spec: TensorSpec, countsStrings = true): string {
  if (tensor.datatype !== spec.datatype) return `datatype is ${quoted(tensor.datatype)}, expected ${spec.datatype}`;
  if (!fitsShape(tensor.shape, spec.shape)) return `shape is ${shapeText(tensor.shape)}, expected ${shapeText(spec.shape)}`;
  const count = elementCount(tensor.shape);
  if (count === -1) return `shape ${shapeText(tensor.shape)} is negative or holds more values than can be counted`;
  if (tensor.datatype !== 'BYTES') return sizeFault(tensor, count);
  return countsStrings ? stringsFault(tensor, count) : '';
}

function fitsShape(shape: readonly number[], spec: readonly number[]): boolean {
  if (shape.length !== spec.length) return false;
  for (let i = 0; i < spec.length; i++) {
    if (spec[i] !== -1 && spec[i] !== shape[i]) return false;
  }
  return true;
}

function sizeFault(tensor: Tensor, count: number): string {
  // A count near 2^53 times eight is no longer exact, but still nowhere near a length that can be.
  const size = count * elementBytes(tensor.datatype);
  if (size === tensor.data.length) return '';
  return `shape ${shapeText(tensor.shape)} of ${tensor.datatype} takes ${size} bytes, found ${tensor.data.length}`;
}

function stringsFault(tensor: Tensor, count: number): string {
  const found = countByteStrings(tensor.data);
  if (found === -1) return 'a length prefix points past the end of its data';
  return found === count ? '' : `shape ${shapeText(tensor.shape)} holds ${count} strings, found ${found}`;
}
