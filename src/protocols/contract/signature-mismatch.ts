import type { Signature, TensorSpec } from '../../core/signature.ts';
import { quoted, shapeText } from '../../wire/json/message-text.ts';
import { countsRows } from './rows.ts';

/**
 * Why a variant cannot stand in for its model: it must take whatever the model's signature takes, and give nothing that the signature does
 * not allow. Empty when it can. The platform may differ, and so may the order of tensors.
 */
export function signatureMismatch(model: Signature, variant: Signature): string {
  return (
    decoupledFault(model, variant) ||
    namesFault('input', model.inputs, variant.inputs) ||
    namesFault('output', model.outputs, variant.outputs) ||
    tensorsFault('input', model.inputs, variant.inputs, takes) ||
    tensorsFault('output', model.outputs, variant.outputs, countsRows(model) ? givesRows : gives)
  );
}

function decoupledFault(model: Signature, variant: Signature): string {
  if (model.decoupled === variant.decoupled) return '';
  return variant.decoupled ? 'it is decoupled, the model is not' : 'it is not decoupled, the model is';
}

type Fits = (model: number, variant: number, dimension: number) => boolean;

/** A fixed dimension would refuse sizes that the model takes. */
const takes: Fits = (model, variant) => variant === -1 || variant === model;

/** A free dimension may turn out right and is looked at in every answer. A fixed one under a free one is a narrower promise. */
const gives: Fits = (model, variant) => variant === -1 || variant === model || model === -1;

/** Not in dimension 0, where rows must follow the request. */
const givesRows: Fits = (model, variant, dimension) => variant === -1 || variant === model || (model === -1 && dimension > 0);

function namesFault(what: string, model: readonly TensorSpec[], variant: readonly TensorSpec[]): string {
  for (const spec of model) {
    if (!variant.some((other) => other.name === spec.name)) return `${what} ${quoted(spec.name)} of the model is missing`;
  }
  for (const spec of variant) {
    if (!model.some((other) => other.name === spec.name)) return `${what} ${quoted(spec.name)} is unknown to the model`;
  }
  return '';
}

function tensorsFault(what: string, model: readonly TensorSpec[], variant: readonly TensorSpec[], fits: Fits): string {
  for (const spec of model) {
    const other = variant.find((candidate) => candidate.name === spec.name)!;
    if (other.datatype !== spec.datatype) {
      return `${what} ${quoted(spec.name)} has datatype ${other.datatype}, the model's is ${spec.datatype}`;
    }
    const same = other.shape.length === spec.shape.length;
    if (!same || !spec.shape.every((size, dimension) => fits(size, other.shape[dimension]!, dimension))) {
      return `${what} ${quoted(spec.name)} has shape ${shapeText(other.shape)}, the model's is ${shapeText(spec.shape)}`;
    }
  }
  return '';
}
