import type { FloatReader } from './floats.ts';
import type { Grid } from './grid.ts';

/** No value of a row that holds a NaN is the largest. */
export const NO_ARGMAX = -1;

/** The places of the largest values of one row; of equal ones the first. Filled anew for each row. */
export class RowRanks {
  readonly #places: Int32Array;
  readonly #values: Float64Array;
  #filled = 0;
  #hasNaN = false;

  constructor(topK: number) {
    this.#places = new Int32Array(topK);
    this.#values = new Float64Array(topK);
  }

  get argmax(): number {
    return this.#hasNaN || this.#filled === 0 ? NO_ARGMAX : this.#places[0]!;
  }

  /** NaN where one is in the row. */
  get max(): number {
    return this.#hasNaN || this.#filled === 0 ? Number.NaN : this.#values[0]!;
  }

  read(values: FloatReader, row: number, { columns, columnStep }: Grid): void {
    this.#filled = 0;
    this.#hasNaN = false;
    const first = row * columns;
    for (let column = 0; column < columns; column += columnStep) {
      const value = values.at(first + column);
      if (Number.isNaN(value)) this.#hasNaN = true;
      else this.#offer(column, value);
    }
  }

  /** Whether the same places are among the largest, in whatever order. */
  sameTop(other: RowRanks): boolean {
    if (this.#hasNaN || other.#hasNaN) return this.#hasNaN === other.#hasNaN;
    if (this.#filled !== other.#filled) return false;
    for (let i = 0; i < this.#filled; i++) {
      if (!other.#has(this.#places[i]!)) return false;
    }
    return true;
  }

  #has(place: number): boolean {
    for (let i = 0; i < this.#filled; i++) {
      if (this.#places[i] === place) return true;
    }
    return false;
  }

  #offer(place: number, value: number): void {
    let at = this.#filled;
    if (at === this.#places.length) {
      if (value <= this.#values[at - 1]!) return;
      at--;
    } else this.#filled++;
    while (at > 0 && this.#values[at - 1]! < value) {
      this.#values[at] = this.#values[at - 1]!;
      this.#places[at] = this.#places[at - 1]!;
      at--;
    }
    this.#values[at] = value;
    this.#places[at] = place;
  }
}
