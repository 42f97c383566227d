import { elementBytes } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import type { ModelContract } from '../../core/signature.ts';
import { quoted, shapeText } from '../../wire/json/message-text.ts';

/**
 * The one input of a model whose request is nothing but its bytes, or why they cannot be it. One row where the model takes rows; one more
 * free dimension takes whatever size the bytes have. BYTES are one string, still without a length in front.
 */
export function rawTensor(contract: ModelContract, body: Uint8Array): Tensor | string {
  const { inputs } = contract.signature;
  if (inputs.length !== 1) return `A raw body is one input, but the model has ${inputs.length}: send a JSON head.`;
  const { name, datatype, shape: spec } = inputs[0]!;
  const shape = spec.slice();
  if (contract.rowLimit > 0) shape[0] = 1;
  const free = shape.indexOf(-1);
  if (free !== shape.lastIndexOf(-1)) return `${unclear(name, spec)}: more than one dimension is free.`;
  if (datatype === 'BYTES') {
    if (shape.some((size) => size !== 1)) return `${unclear(name, spec)}: a raw body is one string.`;
    return { name, datatype, shape, data: body };
  }
  if (free !== -1) {
    const unit = shape.reduce((product, size, i) => (i === free ? product : product * size), elementBytes(datatype));
    const size = body.length / unit;
    if (!Number.isInteger(size)) return `${unclear(name, spec)}: ${body.length} bytes are no multiple of ${unit}.`;
    shape[free] = size;
  }
  return { name, datatype, shape, data: body };
}

function unclear(name: string, spec: readonly number[]): string {
  return `The shape of input ${quoted(name)}, ${shapeText(spec)}, cannot be told from a raw body; send a JSON head`;
}
