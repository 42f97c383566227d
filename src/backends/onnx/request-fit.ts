import { countByteStrings } from '../../core/byte-strings.ts';
import { elementBytes, elementCount } from '../../core/datatype.ts';
import { type InferenceRequest, rowsOf, type Tensor } from '../../core/inference.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import type { CallInput } from './onnx-call.ts';

/**
 * Turns a request into the input of a call. The request has been judged already; it is judged again here because callers share
 * buffers: a tensor shorter than its shape would read its neighbour's rows.
 */
export class RequestFit {
  readonly #specs: readonly TensorSpec[];
  readonly #batching: boolean;
  /** Input and dimension of each free dimension but the first: calls that share a run agree on them. */
  readonly #freeDimensions: readonly (readonly [number, number])[];

  constructor(signature: Signature, batching: boolean) {
    this.#specs = signature.inputs;
    this.#batching = batching;
    this.#freeDimensions = signature.inputs.flatMap((spec, input) =>
      spec.shape.flatMap((size, dimension) => (size === -1 && dimension > 0 ? [[input, dimension] as const] : [])),
    );
  }

  /** The call's input, or why there is none. */
  read(request: InferenceRequest): CallInput | string {
    const inputs = this.#inSignatureOrder(request.inputs);
    if (typeof inputs === 'string') return inputs;
    for (let i = 0; i < inputs.length; i++) {
      const problem = misfit(this.#specs[i]!, inputs[i]!);
      if (problem !== '') return `input "${inputs[i]!.name}" ${problem}`;
    }
    return { inputs, wanted: request.wanted, key: this.#batching ? this.#keyOf(inputs) : null, rows: rowsOf(inputs) };
  }

  #inSignatureOrder(given: readonly Tensor[]): readonly Tensor[] | string {
    const specs = this.#specs;
    if (given.length !== specs.length) return `${given.length} inputs came where the model takes ${specs.length}`;
    let ordered = true;
    for (let i = 0; i < specs.length && ordered; i++) ordered = given[i]!.name === specs[i]!.name;
    if (ordered) return given;
    const inputs: Tensor[] = [];
    for (let i = 0; i < specs.length; i++) {
      const tensor = given.find((candidate) => candidate.name === specs[i]!.name);
      if (tensor === undefined) return `input "${specs[i]!.name}" is missing`;
      inputs.push(tensor);
    }
    return inputs;
  }

  /** Null when the inputs do not agree on their rows; such a call runs alone. */
  #keyOf(inputs: readonly Tensor[]): string | null {
    const rows = inputs[0]!.shape[0]!;
    for (let i = 1; i < inputs.length; i++) if (inputs[i]!.shape[0] !== rows) return null;
    let key = '';
    for (let i = 0; i < this.#freeDimensions.length; i++) {
      const [input, dimension] = this.#freeDimensions[i]!;
      key += `${inputs[input]!.shape[dimension]!},`;
    }
    return key;
  }
}

function misfit(spec: TensorSpec, tensor: Tensor): string {
  if (tensor.datatype !== spec.datatype) return `is ${tensor.datatype} where the model takes ${spec.datatype}`;
  if (!shapeFits(spec.shape, tensor.shape)) return `has shape [${tensor.shape}] where the model takes [${spec.shape}]`;
  const count = elementCount(tensor.shape);
  const size = elementBytes(tensor.datatype);
  if (size === 0) return countByteStrings(tensor.data) === count ? '' : `does not hold the ${count} strings of its shape`;
  return tensor.data.length === count * size ? '' : `has ${tensor.data.length} bytes where its shape takes ${count * size}`;
}

function shapeFits(spec: readonly number[], shape: readonly number[]): boolean {
  if (shape.length !== spec.length) return false;
  for (let i = 0; i < spec.length; i++) if (spec[i] !== -1 && spec[i] !== shape[i]) return false;
  return true;
}
