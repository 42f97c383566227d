import type { InputRule } from '../../config/model-schema.ts';
import type { Datatype } from '../../core/datatype.ts';
import { longsOf, type Numbers, numbersOf, roundedTo, unitsOf } from '../../core/number-view.ts';
import type { TensorSpec } from '../../core/signature.ts';
import { StringRule } from './string-rule.ts';

/**
 * What the values of one input must be. Refusals name the place and the limit and never the value: they end up in logs, and the values are
 * the caller's own business.
 */
export interface ValueRule {
  /** How long it looks at a byte, as a part of what the slowest rule takes: 16 ns on the machine where this was measured. */
  readonly effort: number;
  /** Why `data`, whose form was checked, is refused. Empty when it is not. */
  fault(data: Uint8Array): string;
}

/** Null when any value will do. */
export function compileValueRule(spec: TensorSpec, rule: InputRule): ValueRule | null {
  const { datatype } = spec;
  if (datatype === 'BYTES') return new StringRule(rule);
  if (datatype === 'BOOL') return new BoolRule(rule);
  const free = rule.min === null && rule.max === null && rule.allowedValues === null;
  if (datatype === 'INT64' || datatype === 'UINT64') return free ? null : new LongRule(datatype, rule);
  const finite = isFloating(datatype) && rule.nonFinite === 'refuse';
  if (free && finite && (datatype === 'FP16' || datatype === 'BF16')) return new FiniteUnitRule(EXPONENTS[datatype]);
  return free && !finite ? null : new NumberRule(datatype, rule, finite);
}

/** Whether the datatype has NaN and infinities. */
export const isFloating = (datatype: Datatype): boolean => datatype.startsWith('FP') || datatype === 'BF16';

/** The bits that are all set in NaN and infinities. */
const EXPONENTS = { FP16: 0x7c00, BF16: 0x7f80 } as const;

const SLOW = 1;
/** FP32 and FP64 lie in memory as they are compared: 64 MiB take 120 ms with a list of allowed values, and 20 where they need but be finite. */
const PLAIN = 1 / 8;
const PLAIN_FINITE = 1 / 32;

const notFinite = (index: number): string => `value ${index} is NaN or infinite, expected a finite number`;
const below = (index: number, min: number): string => `value ${index} is less than ${min}`;
const above = (index: number, max: number): string => `value ${index} is greater than ${max}`;
const notAllowed = (index: number): string => `value ${index} is none of the allowed values`;

/** Sixteen-bit floats of which nothing is asked but to be finite. */
class FiniteUnitRule implements ValueRule {
  readonly effort = PLAIN;
  readonly #exponent: number;

  constructor(exponent: number) {
    this.#exponent = exponent;
  }

  fault(data: Uint8Array): string {
    const strange = firstFullExponent(unitsOf(data), this.#exponent);
    return strange === -1 ? '' : notFinite(strange);
  }
}

class NumberRule implements ValueRule {
  readonly effort: number;
  readonly #datatype: Datatype;
  readonly #finite: boolean;
  readonly #min: number;
  readonly #max: number;
  readonly #bounded: boolean;
  readonly #allowed: ReadonlySet<number> | null;

  constructor(datatype: Datatype, rule: InputRule, finite: boolean) {
    this.#datatype = datatype;
    this.#finite = finite;
    this.#min = roundedTo(datatype, rule.min ?? Number.NEGATIVE_INFINITY);
    this.#max = roundedTo(datatype, rule.max ?? Number.POSITIVE_INFINITY);
    this.#bounded = rule.min !== null || rule.max !== null;
    const allowed = allowedNumbers(rule);
    this.#allowed = allowed === null ? null : new Set(allowed.map((value) => roundedTo(datatype, value)));
    const plain = this.#bounded || allowed !== null ? PLAIN : PLAIN_FINITE;
    this.effort = datatype === 'FP32' || datatype === 'FP64' ? plain : SLOW;
  }

  fault(data: Uint8Array): string {
    const values = numbersOf(this.#datatype, data);
    const strange = this.#finite ? firstNotFinite(values) : -1;
    if (strange !== -1) return notFinite(strange);
    const outside = this.#bounded ? firstOutside(values, this.#min, this.#max) : -1;
    if (outside !== -1) return values[outside]! < this.#min ? below(outside, this.#min) : above(outside, this.#max);
    const other = this.#allowed === null ? -1 : firstNotIn(values, this.#allowed);
    return other === -1 ? '' : notAllowed(other);
  }
}

// Each loop is a function of its own, so that the engine compiles it as a whole and for good.

function firstFullExponent(units: Uint16Array, exponent: number): number {
  for (let i = 0; i < units.length; i++) {
    if ((units[i]! & exponent) === exponent) return i;
  }
  return -1;
}

function firstNotFinite(values: Numbers): number {
  for (let i = 0; i < values.length; i++) {
    if (values[i]! - values[i]! !== 0) return i;
  }
  return -1;
}

function firstOutside(values: Numbers, min: number, max: number): number {
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < min || values[i]! > max) return i;
  }
  return -1;
}

function firstNotIn(values: Numbers, allowed: ReadonlySet<number>): number {
  for (let i = 0; i < values.length; i++) {
    if (!allowed.has(values[i]!)) return i;
  }
  return -1;
}

/** 64-bit integers are compared as what they are: as doubles, neighbours beyond 2^53 would be equal. */
class LongRule implements ValueRule {
  readonly effort = SLOW;
  readonly #datatype: 'INT64' | 'UINT64';
  readonly #min: number;
  readonly #max: number;
  readonly #allowed: ReadonlySet<bigint> | null;

  constructor(datatype: 'INT64' | 'UINT64', rule: InputRule) {
    this.#datatype = datatype;
    this.#min = rule.min ?? Number.NEGATIVE_INFINITY;
    this.#max = rule.max ?? Number.POSITIVE_INFINITY;
    const allowed = allowedNumbers(rule);
    this.#allowed = allowed === null ? null : new Set(allowed.filter(Number.isInteger).map(BigInt));
  }

  fault(data: Uint8Array): string {
    const values = longsOf(this.#datatype, data);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < this.#min) return below(i, this.#min);
      if (value > this.#max) return above(i, this.#max);
      if (this.#allowed !== null && !this.#allowed.has(value)) return notAllowed(i);
    }
    return '';
  }
}

/** A byte that is neither 0 nor 1 is no boolean, whatever the rule says; runtimes differ in what they make of it. */
class BoolRule implements ValueRule {
  readonly effort = SLOW;
  readonly #allowed: ReadonlySet<number> | null;

  constructor(rule: InputRule) {
    const allowed = allowedNumbers(rule);
    this.#allowed = allowed === null ? null : new Set(allowed);
  }

  fault(data: Uint8Array): string {
    for (let i = 0; i < data.length; i++) {
      if (data[i]! > 1) return `value ${i} is neither 0 nor 1`;
      if (this.#allowed !== null && !this.#allowed.has(data[i]!)) return notAllowed(i);
    }
    return '';
  }
}

function allowedNumbers(rule: InputRule): number[] | null {
  return rule.allowedValues === null ? null : rule.allowedValues.filter((value) => typeof value === 'number');
}
