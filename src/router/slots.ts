/** The 10,000 slots of a plan, and how they change hands when weights change. Index 0 is stable. */

const STABLE = 0;

/**
 * New slots for new weights, with as few callers moved as that allows: a canary that shrinks gives its last slots back to stable, one
 * that grows takes stable's first, and every other slot stays whose it is. Taking first and giving last means that a canary which
 * shrinks and grows again gets the callers back whom it had.
 *
 * Slots just given back are taken only when stable has no other: a caller who was on one canary should not land on the next one.
 */
export function redealt(slots: Uint8Array, weights: readonly number[]): Uint8Array {
  const next = slots.slice();
  const missing = Array.from(weights);
  for (let i = 0; i < next.length; i++) missing[next[i]!]!--;
  const isFreed = giveBack(next, missing);
  take(next, missing, isFreed, false);
  take(next, missing, isFreed, true);
  return next;
}

/** Shrinking canaries give up their last slots. Says which. */
function giveBack(next: Uint8Array, missing: number[]): Uint8Array {
  const isFreed = new Uint8Array(next.length);
  for (let i = next.length - 1; i >= 0; i--) {
    const owner = next[i]!;
    if (owner === STABLE || missing[owner]! >= 0) continue;
    missing[owner]!++;
    missing[STABLE]!--;
    next[i] = STABLE;
    isFreed[i] = 1;
  }
  return isFreed;
}

/** Growing canaries, in order, take stable's first slots. */
function take(next: Uint8Array, missing: number[], isFreed: Uint8Array, freedOnes: boolean): void {
  let canary = STABLE + 1;
  for (let i = 0; i < next.length; i++) {
    while (canary < missing.length && missing[canary]! <= 0) canary++;
    if (canary === missing.length) return;
    if (next[i] !== STABLE || (isFreed[i] === 1) !== freedOnes) continue;
    next[i] = canary;
    missing[canary]!--;
    missing[STABLE]!++;
  }
}
