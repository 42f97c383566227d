/** Buckets grow by a fifth of an octave, so that a percentile is right within 15 %; from 100 µs to some 12 minutes. */
const PER_OCTAVE = 5;
const FIRST_US = 100;
const BUCKETS = 116;
/** Calls after which all counts are halved: latency of long ago weighs little. */
const HALVING_CALLS = 2_048;
/** Fewer calls say nothing about a 95th percentile. */
const LEAST_CALLS = 100;
/** The percentile is looked up once in so many calls. */
const FRESH_CALLS = 32;

/**
 * When to send a second copy of a call that takes long: at a percentile of its backend's latency, so that the copies stay the share of the
 * calls that the percentile leaves over. A small histogram that forgets by halves.
 */
export class HedgeDelay {
  readonly #percentile: number;
  readonly #minMs: number;
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #calls = 0;
  #delayMs = Number.POSITIVE_INFINITY;

  constructor(options: { readonly percentile: number; readonly minMs: number }) {
    if (!(options.percentile > 0 && options.percentile < 1 && options.minMs >= 0)) {
      throw new RangeError(
        `percentile ${options.percentile}, least ${options.minMs} ms: expected between 0 and 1, and a number from 0`,
      );
    }
    this.#percentile = options.percentile;
    this.#minMs = options.minMs;
  }

  /** Milliseconds after which a copy is worth sending; Infinity while too little is known. @hot */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** A call took so long. Only those that were not hedged, or the estimate would feed on itself. @hot */
  note(latencyUs: number): void {
    const bucket = Math.floor(Math.log2(latencyUs / FIRST_US) * PER_OCTAVE) + 1;
    // Negated, so that what is no number counts as quick.
    this.#counts[bucket > 0 ? Math.min(BUCKETS - 1, bucket) : 0]!++;
    this.#total++;
    if (++this.#calls % HALVING_CALLS === 0) this.#halve();
    if (this.#calls >= LEAST_CALLS && this.#calls % FRESH_CALLS === 0) this.#delayMs = Math.max(this.#minMs, this.#lookUp());
  }

  #halve(): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i]! /= 2;
    this.#total /= 2;
  }

  /** The upper edge of the bucket that the percentile falls into. */
  #lookUp(): number {
    let left = this.#total * this.#percentile;
    let bucket = 0;
    for (; bucket < BUCKETS - 1; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) break;
    }
    return (FIRST_US * 2 ** (bucket / PER_OCTAVE)) / 1_000;
  }
}
