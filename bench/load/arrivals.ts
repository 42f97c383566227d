/** When requests are to be sent: fixed before the first is, so that a slow server cannot slow down who asks it. */

export type ArrivalKind = 'constant' | 'poisson';

/** Milliseconds from the start at which each of `count` requests is due, ascending. */
export function arrivals(kind: ArrivalKind, perSecond: number, count: number, seed: number): Float64Array {
  const due = new Float64Array(count);
  const gapMs = 1000 / perSecond;
  const random = randomNumbers(seed);
  let atMs = 0;
  for (let i = 0; i < count; i++) {
    due[i] = atMs;
    atMs += kind === 'constant' ? gapMs : -Math.log(1 - random()) * gapMs;
  }
  return due;
}

/** Numbers in [0, 1) from a seed, by a xorshift of 32 bits: the same load in each run. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
