import type { Datatype } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import type { TensorSpec } from '../../core/signature.ts';
import type { OnnxCall } from './onnx-call.ts';
import type { RunOutput, RunResult } from './thread-messages.ts';

/** Gives each caller of a run views on its rows of the outputs. */

const PREFIX_BYTES = 4;

/** Whether every output has a row for each row that went in. */
export function canShare(calls: readonly OnnxCall[], outputs: readonly RunOutput[]): boolean {
  let rows = 0;
  for (let i = 0; i < calls.length; i++) rows += rowsIn(calls[i]!);
  for (let i = 0; i < outputs.length; i++) if (outputs[i]!.shape[0] !== rows) return false;
  return true;
}

/** Answers and closes the calls of a run that is done. Several calls must have passed `canShare`. */
export function splitOutputs(
  run: { calls: readonly OnnxCall[]; rows: number },
  specs: readonly TensorSpec[],
  result: RunResult,
): void {
  const { calls, rows } = run;
  const cuts: RowCut[] = new Array(specs.length);
  for (let j = 0; j < specs.length; j++) cuts[j] = new RowCut(specs[j]!.datatype, result.outputs[j]!);
  for (let i = 0; i < calls.length; i++) {
    const call = calls[i]!;
    const outputs: Tensor[] = new Array(specs.length);
    for (let j = 0; j < specs.length; j++) {
      const { shape, data } = calls.length === 1 ? cuts[j]!.whole() : cuts[j]!.take(rowsIn(call));
      outputs[j] = { name: specs[j]!.name, datatype: specs[j]!.datatype, shape, data };
    }
    // A run that several share costs each its part by rows.
    const computeUs = Math.ceil((result.computeUs * call.rows) / rows);
    call.predict({ outputs: call.wanted.length === 0 ? outputs : pick(outputs, call.wanted), computeUs });
    call.close();
  }
}

/** Only calls that have a dimension 0 share a run. */
const rowsIn = (call: OnnxCall): number => call.inputs[0]!.shape[0]!;

function pick(outputs: readonly Tensor[], wanted: readonly string[]): Tensor[] {
  const picked: Tensor[] = [];
  for (let i = 0; i < wanted.length; i++) {
    for (let j = 0; j < outputs.length; j++) if (outputs[j]!.name === wanted[i]) picked.push(outputs[j]!);
  }
  return picked;
}

interface Rows {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Walks over an output, some rows at a time. */
class RowCut {
  readonly #output: RunOutput;
  readonly #data: Uint8Array;
  /** 0 for BYTES, whose rows have lengths of their own. */
  readonly #rowBytes: number;
  readonly #rowElements: number;
  #at = 0;

  constructor(datatype: Datatype, output: RunOutput) {
    this.#output = output;
    this.#data = new Uint8Array(output.data);
    let elements = 1;
    for (let i = 1; i < output.shape.length; i++) elements *= output.shape[i]!;
    this.#rowElements = elements;
    this.#rowBytes = datatype === 'BYTES' ? 0 : this.#data.length / Math.max(1, output.shape[0] ?? 1);
  }

  whole(): Rows {
    return { shape: this.#output.shape, data: this.#data };
  }

  take(rows: number): Rows {
    const from = this.#at;
    if (this.#rowBytes > 0) this.#at += rows * this.#rowBytes;
    else this.#skipStrings(rows * this.#rowElements);
    const shape = this.#output.shape.slice();
    shape[0] = rows;
    return { shape, data: this.#data.subarray(from, this.#at) };
  }

  #skipStrings(count: number): void {
    const data = this.#data;
    for (let i = 0; i < count && this.#at < data.length; i++) {
      const at = this.#at;
      const length = data[at]! + (data[at + 1]! << 8) + (data[at + 2]! << 16) + data[at + 3]! * 0x1000000;
      this.#at += PREFIX_BYTES + length;
    }
  }
}
