import type { InferenceRequest, Params, Tensor } from '../core/inference.ts';
import { FieldKey } from './field-key.ts';

/** All that two requests must have in common to share an answer. */
export interface CacheKeyParts {
  readonly tenant: string;
  readonly model: string;
  /** The variant that the plan resolved, so that a canary's answer is never given to stable's callers. */
  readonly variant: string;
  /** Digest of the guard chains. */
  readonly policy: string;
  readonly request: InferenceRequest;
}

// Raised when the fields below change, so that a store that outlives this process never answers for another layout.
const LAYOUT = 3;
const Tag = { Text: 0, Number: 1, BigInt: 2, False: 3, True: 4 } as const;

const fields = new FieldKey();

/**
 * The key under which the answer to a request is kept. The caller's id, its timeout and the version it asked for are left out: the
 * first two do not change the answer and the third has become the variant.
 *
 * @hot
 */
export function cacheKey(parts: CacheKeyParts): string {
  const request = parts.request;
  fields.begin();
  fields.number(LAYOUT);
  fields.text(parts.tenant);
  fields.text(parts.model);
  fields.text(parts.variant);
  fields.text(parts.policy);
  // An explanation of the same inputs is another answer. It is kept as well: explainers ask their model hundreds of times for one.
  fields.text(request.task);
  addNames(request.wanted);
  addParams(request.params);
  addTensors(request.inputs);
  return fields.end();
}

function addNames(names: readonly string[]): void {
  fields.number(names.length);
  for (let i = 0; i < names.length; i++) fields.text(names[i]!);
}

function addParams(params: Params): void {
  fields.number(params.size);
  if (params.size === 0) return;
  const names = Array.from(params.keys()).sort();
  for (let i = 0; i < names.length; i++) {
    fields.text(names[i]!);
    addParam(params.get(names[i]!)!);
  }
}

/** The type goes before the value: "1", 1, 1n and true are four parameters. */
function addParam(value: string | number | bigint | boolean): void {
  switch (typeof value) {
    case 'string':
      fields.number(Tag.Text);
      fields.text(value);
      return;
    case 'number':
      fields.number(Tag.Number);
      fields.number(value);
      return;
    case 'bigint':
      fields.number(Tag.BigInt);
      fields.text(value.toString());
      return;
    case 'boolean':
      fields.number(value ? Tag.True : Tag.False);
      return;
    default:
      value satisfies never;
  }
}

function addTensors(tensors: readonly Tensor[]): void {
  const ordered = isOrdered(tensors) ? tensors : tensors.slice().sort(byName);
  fields.number(ordered.length);
  for (let i = 0; i < ordered.length; i++) {
    const tensor = ordered[i]!;
    fields.text(tensor.name);
    fields.text(tensor.datatype);
    fields.number(tensor.shape.length);
    for (let d = 0; d < tensor.shape.length; d++) fields.number(tensor.shape[d]!);
    fields.bytes(tensor.data);
  }
}

function isOrdered(tensors: readonly Tensor[]): boolean {
  for (let i = 1; i < tensors.length; i++) {
    if (tensors[i - 1]!.name > tensors[i]!.name) return false;
  }
  return true;
}

function byName(a: Tensor, b: Tensor): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
