import { readingsOf } from './readings.ts';

/** One element of a BYTES tensor as text, with what a guard wants in its place. */
export class SubjectText {
  /** A view on the bytes that came in; never changed. */
  readonly #source: Uint8Array;
  #value: string;
  #draft: string | null = null;
  #changed = false;
  #readings: readonly string[] | null = null;

  constructor(source: Uint8Array, value: string) {
    this.#source = source;
    this.#value = value;
  }

  /** As the guards before this one left it. Bytes that are no UTF-8 read as U+FFFD. */
  get value(): string {
    return this.#value;
  }

  get isChanged(): boolean {
    return this.#changed;
  }

  /** Folded for comparing, made once for all guards of the chain. */
  get readings(): readonly string[] {
    this.#readings ??= readingsOf(this.#value);
    return this.#readings;
  }

  draft(value: string): void {
    this.#draft = value;
  }

  accept(): void {
    if (this.#draft === null) return;
    this.#value = this.#draft;
    this.#draft = null;
    this.#changed = true;
    this.#readings = null;
  }

  discard(): void {
    this.#draft = null;
  }

  bytes(): Uint8Array {
    return this.#changed ? Buffer.from(this.#value, 'utf8') : this.#source;
  }
}
