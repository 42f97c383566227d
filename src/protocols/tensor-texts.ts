import { bytesOf, headsOf, tensorsOf } from '../core/detached.ts';
import type { Tensor } from '../core/inference.ts';
import type { Offload, Task, Waiting } from '../core/offload.ts';
import { ByteWriter } from '../wire/json/byte-writer.ts';
import { jsonRefusal, writeTensorData } from '../wire/json/tensor-writer.ts';
import { ValueWriter } from '../wire/values/value-writer.ts';

/** JSON bytes for each byte of tensor: eleven characters and a comma for an FP32 of four. */
const GROWTH = 3;
/** Writing a byte of FP32 takes four times as long as reading one of JSON. */
const WRITE_TIMES = 4;
const NO_SHAPE: readonly number[] = [];

/** Whether `bytes` of tensors are too many to be written as text in place. @hot */
export function isLongText(bytes: number, offload: Offload): boolean {
  return bytes * WRITE_TIMES > offload.inlineBytes;
}

/** The writing of tensors' data as a thread does it: for each why it cannot be said, or an empty string and its text. */
export const WRITE_TENSORS: Task<readonly Tensor[], readonly string[]> = {
  name: 'tensor-texts',
  run(heads, bytes) {
    const refusals: string[] = [];
    const texts: Uint8Array[] = [];
    for (const tensor of tensorsOf(heads, bytes)) {
      const writer = new ByteWriter(tensor.data.length * GROWTH);
      refusals.push(writeTensorData(writer, tensor));
      texts.push(Buffer.concat(writer.pieces()));
    }
    return { value: refusals, bytes: texts };
  },
};

/** The data of tensors as JSON text that a thread has written. */
export class TensorTexts {
  readonly #tensors: readonly Tensor[];
  readonly #refusals: readonly string[];
  readonly #texts: readonly Uint8Array[];

  constructor(tensors: readonly Tensor[], refusals: readonly string[], texts: readonly Uint8Array[]) {
    this.#tensors = tensors;
    this.#refusals = refusals;
    this.#texts = texts;
  }

  /** As `jsonRefusal`. */
  refusal(tensor: Tensor): string {
    const at = this.#tensors.indexOf(tensor);
    return at === -1 ? jsonRefusal(tensor) : this.#refusals[at]!;
  }

  /** As `writeTensorData`. */
  write(writer: ByteWriter, tensor: Tensor): string {
    const at = this.#tensors.indexOf(tensor);
    if (at === -1) return writeTensorData(writer, tensor);
    if (this.#refusals[at] === '') writer.splice(this.#texts[at]!);
    return this.#refusals[at]!;
  }

  /** The only value of a tensor that has no refusal, bare. A string may be as long as many numbers. */
  writeOnly(writer: ByteWriter, tensor: Tensor): void {
    const at = tensor.datatype === 'BYTES' ? this.#tensors.indexOf(tensor) : -1;
    if (at === -1) new ValueWriter(tensor, 'never').nested(writer, NO_SHAPE, 0);
    else writer.splice(this.#texts[at]!.subarray(1, -1));
  }
}

/** For answers that are written in place. */
export const NO_TEXTS = new TensorTexts([], [], []);

export async function textsOf(tensors: readonly Tensor[], offload: Offload, waiting: Waiting): Promise<TensorTexts> {
  const { value, bytes } = await offload.run(WRITE_TENSORS, headsOf(tensors), bytesOf(tensors), waiting);
  return new TensorTexts(tensors, value, bytes);
}
