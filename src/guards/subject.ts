import { countByteStrings, joinByteStrings, splitByteStrings } from '../core/byte-strings.ts';
import type { Tensor } from '../core/inference.ts';
import { type Numbers, SHARED_BYTES } from '../core/number-view.ts';
import { type BigNumbers, bigNumbersOf, plainNumbersOf } from './numbers.ts';
import { SubjectText } from './subject-text.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The tensors of one inspection as guards see them. Texts and numbers are decoded on first use, once for the whole chain.
 * Rewriting goes draft → accept → commit: only a guard that rules Rewrite has its drafts accepted, and only a chain that lets the
 * request pass commits, with one new tensor in the place of each that changed.
 */
export class Subject {
  /** The rule that decided; set by the guard that is being asked. A name from config or code, never content. */
  rule = '';
  readonly #tensors: Tensor[];
  /** By tensor; null until any is asked for. */
  #texts: (readonly SubjectText[] | null)[] | null = null;
  #numbers: (Numbers | null)[] | null = null;
  readonly #drafted: SubjectText[] = [];
  #changed = false;

  constructor(tensors: Tensor[]) {
    this.#tensors = tensors;
  }

  get tensors(): readonly Tensor[] {
    return this.#tensors;
  }

  /** The elements of the BYTES tensor at `index`, in order. Throws when its bytes are not length-prefixed elements. */
  texts(index: number): readonly SubjectText[] {
    this.#texts ??= noneOf(this.#tensors.length);
    this.#texts[index] ??= decodeTexts(this.#tensors[index]!);
    return this.#texts[index]!;
  }

  /** The elements of the numeric tensor at `index`, unless it holds 64-bit integers; to be looked at before any others are asked for. */
  numbers(index: number): Numbers {
    if (this.#tensors[index]!.data.length <= SHARED_BYTES) return plainNumbersOf(this.#tensors[index]!);
    this.#numbers ??= noneOf(this.#tensors.length);
    this.#numbers[index] ??= plainNumbersOf(this.#tensors[index]!);
    return this.#numbers[index]!;
  }

  /** The elements of the INT64 or UINT64 tensor at `index`. */
  bigNumbers(index: number): BigNumbers {
    return bigNumbersOf(this.#tensors[index]!);
  }

  /** Drafts `value` in the place of a text of this subject. */
  rewrite(text: SubjectText, value: string): void {
    text.draft(value);
    this.#drafted.push(text);
  }

  /** Makes the drafts what later guards see. */
  accept(): void {
    if (this.#drafted.length === 0) return;
    for (const text of this.#drafted.splice(0)) text.accept();
    this.#changed = true;
  }

  discard(): void {
    if (this.#drafted.length === 0) return;
    for (const text of this.#drafted.splice(0)) text.discard();
  }

  /** Puts a new tensor, in bytes of its own, in the place of each one with a text that changed. */
  commit(): void {
    if (!this.#changed) return;
    for (let i = 0; i < this.#tensors.length; i++) {
      const texts = this.#texts?.[i];
      if (texts?.some((text) => text.isChanged)) this.#tensors[i] = withTexts(this.#tensors[i]!, texts);
    }
    this.#changed = false;
  }
}

/** A literal where there is one tensor: it has no more room than it needs. */
const noneOf = <T>(count: number): (T | null)[] => (count === 1 ? [null] : new Array<T | null>(count).fill(null));

function decodeTexts(tensor: Tensor): readonly SubjectText[] {
  if (countByteStrings(tensor.data) === -1) {
    throw new Error(
      `tensor "${tensor.name}" is not made of length-prefixed elements: a length points past its ${tensor.data.length} bytes`,
    );
  }
  return splitByteStrings(tensor.data).map((bytes) => new SubjectText(bytes, decoder.decode(bytes)));
}

function withTexts(tensor: Tensor, texts: readonly SubjectText[]): Tensor {
  const data = joinByteStrings(texts.map((text) => text.bytes()));
  return { name: tensor.name, datatype: tensor.datatype, shape: tensor.shape, data };
}
