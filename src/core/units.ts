/** Numbers with a meaning: the brand exists for the compiler alone, at run time these are plain numbers. */
declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Milliseconds on the monotonic clock of this process: whole, and small for the first 24 days. */
export type Millis = Brand<number, 'Millis'>;
/** One billionth of a US dollar. Always whole, so sums never drift; exact up to nine million dollars. */
export type NanoUsd = Brand<number, 'NanoUsd'>;
/** Hundredths of a percent: 10,000 is everything. */
export type BasisPoints = Brand<number, 'BasisPoints'>;
/** Row of a limiter's table, handed out when config is compiled, never per request. */
export type BucketId = Brand<number, 'BucketId'>;
/** A cap on requests in flight, by the number it got when config was compiled. */
export type CapId = Brand<number, 'CapId'>;

/** All basis points there are: the weights of a plan sum to this. */
export const WHOLE_BP = 10_000;

export const nanoUsd = (n: number): NanoUsd => Math.ceil(n) as NanoUsd;
export const millis = (n: number): Millis => Math.trunc(n) as Millis;
export const basisPoints = (n: number): BasisPoints => Math.round(n) as BasisPoints;
