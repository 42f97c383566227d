import type { BoundsGuardConfig } from '../config/guard-schema.ts';
import type { Datatype } from '../core/datatype.ts';
import { Ruling } from '../core/guard.ts';
import type { Numbers } from '../core/number-view.ts';
import type { Guard } from './guard.ts';
import type { BigNumbers } from './numbers.ts';
import { nearestIn } from './precision.ts';
import { Fit, NUMERIC, Selection } from './selection.ts';
import type { Subject } from './subject.ts';

/** The bounds of one datatype: the nearest numbers that it holds, and whole ones for 64-bit integers. */
interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly bigMin: bigint;
  readonly bigMax: bigint;
}

const LEAST_BIG = -(2n ** 63n);
const GREATEST_BIG = 2n ** 64n - 1n;

/** Watches that the numbers of a tensor stay within bounds. One pass, and no copy unless the bytes lie askew. */
export class BoundsGuard implements Guard {
  readonly name: string;
  readonly failClosed: boolean;
  readonly #selection: Selection;
  readonly #bounds: ReadonlyMap<Datatype, Bounds>;
  readonly #allowNonFinite: boolean;
  readonly #ruling: Ruling;

  constructor(config: BoundsGuardConfig) {
    this.name = config.name;
    this.failClosed = config.failClosed;
    this.#selection = new Selection(config.tensors, NUMERIC);
    this.#bounds = sharedBounds(config.min, config.max);
    this.#allowNonFinite = config.allowNonFinite;
    this.#ruling = config.action === 'block' ? Ruling.Block : Ruling.Flag;
  }

  /** @hot */
  check(subject: Subject): Ruling {
    const tensors = subject.tensors;
    for (let i = 0; i < tensors.length; i++) {
      const tensor = tensors[i]!;
      const fit = this.#selection.fit(tensor);
      if (fit === Fit.Skip) continue;
      subject.rule = fit === Fit.Wrong ? 'datatype' : this.#broken(subject, i, tensor.datatype);
      if (fit === Fit.Wrong) return Ruling.Error;
      if (subject.rule !== '') return this.#ruling;
    }
    return Ruling.Allow;
  }

  /** The rule that the tensor at `index` breaks; empty when it breaks none. */
  #broken(subject: Subject, index: number, datatype: Datatype): string {
    const bounds = this.#bounds.get(datatype)!;
    return datatype === 'INT64' || datatype === 'UINT64'
      ? brokenByBig(subject.bigNumbers(index), bounds)
      : brokenBy(subject.numbers(index), bounds, this.#allowNonFinite);
  }
}

/** Bounds that guards have asked for; many models have the same, and their requests then look at the same memory. */
const MAX_SHARED = 1_024;
const shared = new Map<string, ReadonlyMap<Datatype, Bounds>>();

function sharedBounds(min: number | null, max: number | null): ReadonlyMap<Datatype, Bounds> {
  const key = `${min} ${max}`;
  const known = shared.get(key);
  if (known !== undefined) return known;
  if (shared.size >= MAX_SHARED) shared.clear();
  const bounds = boundsByDatatype(min, max);
  shared.set(key, bounds);
  return bounds;
}

function boundsByDatatype(min: number | null, max: number | null): Map<Datatype, Bounds> {
  const bigMin = min === null ? LEAST_BIG : BigInt(Math.ceil(min));
  const bigMax = max === null ? GREATEST_BIG : BigInt(Math.floor(max));
  const bounds = new Map<Datatype, Bounds>();
  for (const datatype of NUMERIC) {
    bounds.set(datatype, {
      min: min === null ? -Infinity : Math.min(min, nearestIn(datatype, min)),
      max: max === null ? Infinity : Math.max(max, nearestIn(datatype, max)),
      bigMin,
      bigMax,
    });
  }
  return bounds;
}

function brokenBy(values: Numbers, bounds: Bounds, allowNonFinite: boolean): string {
  const { min, max } = bounds;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // The difference is 0 for all but NaN and the infinities.
    if (value >= min && value <= max && value - value === 0) continue;
    if (Number.isFinite(value)) return value < min ? 'min' : 'max';
    if (!allowNonFinite) return 'nonFinite';
  }
  return '';
}

/** Compared as whole numbers: INT64 above 2^53 loses its last digits in a JavaScript number. */
function brokenByBig(values: BigNumbers, bounds: Bounds): string {
  const { bigMin, bigMax } = bounds;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < bigMin) return 'min';
    if (value > bigMax) return 'max';
  }
  return '';
}
