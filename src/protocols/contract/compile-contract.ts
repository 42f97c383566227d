import { DEFAULT_INPUT_RULE } from '../../config/default-input-rule.ts';
import type { InputRule } from '../../config/model-schema.ts';
import { explanationFault } from '../../core/explanation.ts';
import type { InferenceRequest, Prediction, Tensor } from '../../core/inference.ts';
import type { ModelContract, Signature, TensorSpec } from '../../core/signature.ts';
import { quoted } from '../../wire/json/message-text.ts';
import { countsRows } from './rows.ts';
import { formFault } from './tensor-form.ts';
import { compileValueRule, type ValueRule } from './value-rule.ts';

/** Inputs without a rule of their own get the defaults that the config documents. */

/**
 * A model's signature and the operator's rules, ready to judge requests and answers. A signature does not say what dimension 0 means:
 * it is taken for rows where every input leaves it free, unless `rowsAgree` is false.
 */
export function compileContract(
  signature: Signature,
  rules: Readonly<Record<string, InputRule>>,
  maxRows: number,
  rowsAgree = true,
): CompiledContract {
  return new CompiledContract(signature, rules, maxRows, rowsAgree);
}

interface InputCheck {
  readonly spec: TensorSpec;
  readonly values: ValueRule | null;
  /** As a rule states it. */
  readonly effort: number;
}

export class CompiledContract implements ModelContract {
  readonly signature: Signature;
  readonly rowLimit: number;
  readonly #maxRows: number;
  /** A model that takes a scalar, or a state that has its batch further in, runs no rows side by side: nothing follows from dimension 0. */
  readonly #rowsAgree: boolean;
  readonly #inputs: ReadonlyMap<string, InputCheck>;
  readonly #outputs: ReadonlyMap<string, TensorSpec>;

  constructor(signature: Signature, rules: Readonly<Record<string, InputRule>>, maxRows: number, rowsAgree: boolean) {
    this.signature = signature;
    this.#maxRows = maxRows;
    this.#rowsAgree = rowsAgree && countsRows(signature);
    this.rowLimit = this.#rowsAgree ? maxRows : 0;
    const check = (spec: TensorSpec): InputCheck => {
      const rule = Object.hasOwn(rules, spec.name) ? rules[spec.name]! : DEFAULT_INPUT_RULE;
      const values = compileValueRule(spec, rule);
      // Numbers without a rule have a length and nothing else to look at.
      return { spec, values, effort: values === null ? 0 : values.effort };
    };
    this.#inputs = new Map(signature.inputs.map((spec) => [spec.name, check(spec)]));
    this.#outputs = new Map(signature.outputs.map((spec) => [spec.name, spec]));
  }

  /** @hot */
  rows(request: InferenceRequest): number {
    return this.#rowsAgree ? this.#rowsOf(request.inputs) : 1;
  }

  /** How long judging would take, as bytes of the slowest kind. @hot */
  effort({ inputs }: InferenceRequest): number {
    let effort = 0;
    for (let i = 0; i < inputs.length; i++) {
      effort += inputs[i]!.data.length * (this.#inputs.get(inputs[i]!.name)?.effort ?? 0);
    }
    return effort;
  }

  /** @hot Cheap checks of all inputs come before the values of any. */
  refusal(request: InferenceRequest): string {
    const { inputs, wanted } = request;
    for (let i = 0; i < inputs.length; i++) {
      const fault = this.#inputFault(inputs, i);
      if (fault !== '') return `input ${quoted(inputs[i]!.name)}${fault}`;
    }
    // All are known and none comes twice, so fewer means that one is missing.
    if (inputs.length !== this.#inputs.size) return missing('input', this.signature.inputs, inputs);
    const rowFault = this.#rowFault(inputs);
    if (rowFault !== '') return rowFault;
    for (let i = 0; i < wanted.length; i++) {
      if (!this.#outputs.has(wanted[i]!))
        return `output ${quoted(wanted[i]!)} does not exist; there are ${named(this.signature.outputs)}`;
      if (wanted.indexOf(wanted[i]!) !== i) return `output ${quoted(wanted[i]!)} is asked for twice`;
    }
    for (let i = 0; i < inputs.length; i++) {
      const values = this.#inputs.get(inputs[i]!.name)!.values;
      const fault = values === null ? '' : values.fault(inputs[i]!.data);
      if (fault !== '') return `input ${quoted(inputs[i]!.name)}: ${fault}`;
    }
    return '';
  }

  /** @hot */
  lie(request: InferenceRequest, prediction: Prediction): string {
    return request.task === 'explain' ? explanationFault(prediction) : this.#lie(request, prediction, true);
  }

  /** @hot */
  plainLie(request: InferenceRequest, prediction: Prediction): string {
    return request.task === 'explain' ? '' : this.#lie(request, prediction, false);
  }

  #lie(request: InferenceRequest, prediction: Prediction, countsStrings: boolean): string {
    const { outputs } = prediction;
    const { wanted } = request;
    // One of several answers has rows of its own, and may leave outputs to the others.
    const { decoupled } = this.signature;
    const rows = decoupled ? -1 : this.#rowsOf(request.inputs);
    for (let i = 0; i < outputs.length; i++) {
      const fault = this.#outputFault(outputs, i, countsStrings, wanted, rows);
      if (fault !== '') return `output ${quoted(outputs[i]!.name)}${fault}`;
    }
    if (decoupled || outputs.length === (wanted.length === 0 ? this.#outputs.size : wanted.length)) return '';
    const specs = this.signature.outputs;
    return missing('output', wanted.length === 0 ? specs : specs.filter((spec) => wanted.includes(spec.name)), outputs);
  }

  #inputFault(inputs: readonly Tensor[], index: number): string {
    const tensor = inputs[index]!;
    const check = this.#inputs.get(tensor.name);
    if (check === undefined) return ` does not exist; there are ${named(this.signature.inputs)}`;
    if (comesBefore(inputs, index)) return ' comes twice';
    const fault = formFault(tensor, check.spec);
    return fault === '' ? '' : `: ${fault}`;
  }

  #outputFault(
    outputs: readonly Tensor[],
    index: number,
    countsStrings: boolean,
    wanted: readonly string[],
    rows: number,
  ): string {
    const tensor = outputs[index]!;
    const spec = this.#outputs.get(tensor.name);
    if (spec === undefined) return ' does not exist in the signature';
    if (wanted.length > 0 && !wanted.includes(tensor.name)) return ' was not asked for';
    if (comesBefore(outputs, index)) return ' comes twice';
    const fault = formFault(tensor, spec, countsStrings);
    if (fault !== '') return `: ${fault}`;
    if (rows === -1 || spec.shape[0] !== -1 || tensor.shape[0] === rows) return '';
    return ` has ${tensor.shape[0]} rows, expected ${rows} as in the request; set rowsAgree: false if dimension 0 counts something else`;
  }

  /** Each free dimension 0 is bounded; where it counts rows, all inputs have as many. */
  #rowFault(inputs: readonly Tensor[]): string {
    let first: Tensor | null = null;
    for (let i = 0; i < inputs.length; i++) {
      const tensor = inputs[i]!;
      if (this.#inputs.get(tensor.name)!.spec.shape[0] !== -1) continue;
      const rows = tensor.shape[0]!;
      if (rows < 1 || rows > this.#maxRows)
        return `input ${quoted(tensor.name)} has ${rows} rows, expected 1 to ${this.#maxRows}`;
      if (first === null) first = tensor;
      else if (this.#rowsAgree && rows !== first.shape[0]) {
        return `input ${quoted(tensor.name)} has ${rows} rows, but input ${quoted(first.name)} has ${first.shape[0]}`;
      }
    }
    return '';
  }

  /** -1 where dimension 0 counts no rows. */
  #rowsOf(inputs: readonly Tensor[]): number {
    return this.#rowsAgree && inputs.length > 0 ? inputs[0]!.shape[0]! : -1;
  }
}

/** Lists are short, so looking back costs less than a set. */
function comesBefore(tensors: readonly Tensor[], index: number): boolean {
  for (let i = 0; i < index; i++) {
    if (tensors[i]!.name === tensors[index]!.name) return true;
  }
  return false;
}

function missing(what: string, specs: readonly TensorSpec[], tensors: readonly Tensor[]): string {
  const lacking = specs.find((spec) => !tensors.some((tensor) => tensor.name === spec.name));
  return `${what} ${quoted(lacking?.name ?? '')} is missing; expected ${named(specs)}`;
}

function named(specs: readonly TensorSpec[]): string {
  return specs.map((spec) => quoted(spec.name)).join(', ');
}
