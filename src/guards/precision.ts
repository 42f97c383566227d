import type { Datatype } from '../core/datatype.ts';

/** Bits of fraction and least exponent of the floating datatypes that are narrower than a JavaScript number. */
const NARROW: ReadonlyMap<Datatype, readonly [fractionBits: number, leastExponent: number]> = new Map<
  Datatype,
  readonly [number, number]
>([
  ['FP32', [23, -126]],
  ['FP16', [10, -14]],
  ['BF16', [7, -126]],
]);

/**
 * `value` as the datatype nearest holds it. A limit of 0.1 has to accept the 0.1 that a caller sent as FP32, which is really
 * 0.10000000149: limits are widened to the nearest number that the tensor can hold.
 */
export function nearestIn(datatype: Datatype, value: number): number {
  const format = NARROW.get(datatype);
  if (format === undefined || !Number.isFinite(value)) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), format[1]);
  const step = 2 ** (exponent - format[0]);
  return roundHalfEven(value / step) * step;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  if (over !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
