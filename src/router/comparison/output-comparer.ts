import type { DisagreementKind } from '../../core/comparison.ts';
import { elementBytes, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { coarser, type FloatDatatype, FloatReader, isFloat, isWhole } from './floats.ts';
import { type Grid, gridOf, isPartial } from './grid.ts';
import type { ComparisonPolicy } from './policy.ts';
import { NO_ARGMAX, RowRanks } from './row-ranks.ts';

/** Bytes of strings that are compared; beyond, their number alone. */
const MAX_STRING_BYTES = 262_144;
/** Scores that one output gives to the sketches: each costs a look-up, where a comparison costs a subtraction. */
const MAX_SCORES = 1_024;

/** How one output of stable and of a variant differ. */
export interface OutputDifference {
  readonly output: string;
  /** shape: nothing else could be compared. */
  readonly how: 'floats' | 'exact' | 'shape';
  readonly partial: boolean;
  /** Rows with something to rank, those whose largest values stand elsewhere, and those whose topK do. */
  ranked: number;
  argmaxDiffers: number;
  toppled: number;
  toppledOf: number;
  /** Values that were held against the tolerance, and those beyond it; 1 for all of an exact output. */
  values: number;
  outside: number;
  /** Of pairs of finite values. */
  finite: number;
  maxDifference: number;
  sumDifference: number;
  /** The first row that speaks against agreement, else the first of all; and its argmax on both sides. */
  row: number;
  stableArgmax: number;
  variantArgmax: number;
  /** The largest value of each row that was looked at, or of so many of these at equal distances. */
  readonly stableScores: readonly number[];
  readonly variantScores: readonly number[];
}

/** Compares single outputs, with work bounded by the policy. */
export class OutputComparer {
  readonly #policy: ComparisonPolicy;
  readonly #stable: RowRanks;
  readonly #variant: RowRanks;

  constructor(policy: ComparisonPolicy) {
    this.#policy = policy;
    this.#stable = new RowRanks(policy.topK);
    this.#variant = new RowRanks(policy.topK);
  }

  compare(stable: Tensor, variant: Tensor): OutputDifference {
    const floats = isFloat(stable.datatype) && isFloat(variant.datatype);
    const alike = sameShape(stable.shape, variant.shape) && (floats || stable.datatype === variant.datatype);
    if (stable.datatype === 'BYTES' && alike) return exactly(stable, sameStrings(stable, variant), false);
    if (!alike || !isWhole(stable) || !isWhole(variant)) return { ...blank(stable, 'shape', false), values: 1, outside: 1 };
    const grid = gridOf(stable.shape, elementCount(stable.shape), this.#policy.maxElements);
    if (!floats) return exactly(stable, sameRows(stable, variant, grid), isPartial(grid));
    return this.#floats(stable, variant, grid);
  }

  #floats(stable: Tensor, variant: Tensor, grid: Grid): OutputDifference {
    const found = blank(stable, 'floats', isPartial(grid));
    const one = new FloatReader(stable);
    const other = new FloatReader(variant);
    const { absolute, relative } =
      this.#policy.tolerance[coarser(stable.datatype as FloatDatatype, variant.datatype as FloatDatatype)];
    const scoreStep = grid.rowStep * Math.ceil(grid.rows / grid.rowStep / MAX_SCORES);
    for (let row = 0; row < grid.rows; row += grid.rowStep) {
      if (grid.columns > 1 || row % scoreStep === 0)
        this.#rank(found, one, other, { grid, row, isScored: row % scoreStep === 0 });
      for (let column = 0; column < grid.columns; column += grid.columnStep) {
        const a = one.at(row * grid.columns + column);
        const b = other.at(row * grid.columns + column);
        const difference = Math.abs(a - b);
        found.values++;
        if (Number.isFinite(difference)) {
          found.finite++;
          found.sumDifference += difference;
          if (difference > found.maxDifference) found.maxDifference = difference;
          if (difference > absolute + relative * Math.abs(a)) found.outside++;
        } else if (!Object.is(a, b)) found.outside++;
      }
    }
    return found;
  }

  #rank(found: OutputDifference, one: FloatReader, other: FloatReader, { grid, row, isScored }: RowLook): void {
    const stable = this.#stable;
    const variant = this.#variant;
    stable.read(one, row, grid);
    variant.read(other, row, grid);
    if (isScored && !Number.isNaN(stable.max)) (found.stableScores as number[]).push(stable.max);
    if (isScored && !Number.isNaN(variant.max)) (found.variantScores as number[]).push(variant.max);
    // Of one value any is the largest.
    if (grid.columns < 2) return;
    found.ranked++;
    const differs = stable.argmax !== variant.argmax;
    if (found.ranked === 1 || (differs && found.argmaxDiffers === 0)) {
      found.row = row;
      found.stableArgmax = stable.argmax;
      found.variantArgmax = variant.argmax;
    }
    if (differs) found.argmaxDiffers++;
    if (grid.columns <= this.#policy.topK) return;
    found.toppledOf++;
    if (!stable.sameTop(variant)) found.toppled++;
  }
}

interface RowLook {
  readonly grid: Grid;
  readonly row: number;
  readonly isScored: boolean;
}

/** Why the outputs do not agree by a rule; null when they do. */
export function kindOf(found: OutputDifference, agreeBy: ComparisonPolicy['agreeBy']): DisagreementKind | null {
  if (found.how === 'shape') return 'shape';
  if (found.how === 'exact') return found.outside > 0 ? 'exact' : null;
  switch (agreeBy) {
    case 'tolerance':
      return found.outside > 0 ? 'tolerance' : null;
    case 'topk':
      // Where there are no more columns than places, all stand at the top and only the first can differ.
      if (found.toppledOf > 0) return found.toppled > 0 ? 'topk' : null;
      return found.argmaxDiffers > 0 ? 'argmax' : null;
    case 'argmax':
      return found.argmaxDiffers > 0 ? 'argmax' : null;
    default:
      return agreeBy satisfies never;
  }
}

function blank({ name }: Tensor, how: OutputDifference['how'], partial: boolean): OutputDifference {
  return {
    output: name,
    how,
    partial,
    ranked: 0,
    argmaxDiffers: 0,
    toppled: 0,
    toppledOf: 0,
    values: 0,
    outside: 0,
    finite: 0,
    maxDifference: 0,
    sumDifference: 0,
    row: 0,
    stableArgmax: NO_ARGMAX,
    variantArgmax: NO_ARGMAX,
    stableScores: [],
    variantScores: [],
  };
}

function exactly(stable: Tensor, same: boolean, partial: boolean): OutputDifference {
  return { ...blank(stable, 'exact', partial), values: 1, outside: same ? 0 : 1 };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

function sameStrings(a: Tensor, b: Tensor): boolean {
  if (a.data.length !== b.data.length) return false;
  return Buffer.compare(a.data.subarray(0, MAX_STRING_BYTES), b.data.subarray(0, MAX_STRING_BYTES)) === 0;
}

function sameRows(a: Tensor, b: Tensor, { columns, rows, rowStep, columnStep }: Grid): boolean {
  const size = elementBytes(a.datatype);
  // Of a row that is too long its beginning: neighbours are compared many times as fast as values apart.
  const taken = Math.ceil(columns / columnStep) * size;
  for (let row = 0; row < rows; row += rowStep) {
    const from = row * columns * size;
    if (Buffer.compare(a.data.subarray(from, from + taken), b.data.subarray(from, from + taken)) !== 0) return false;
  }
  return true;
}
