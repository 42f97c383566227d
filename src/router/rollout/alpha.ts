/** How the chance of a false rollback is spent over a rollout. */

/**
 * The part of `alpha` for evidence that begins anew for the `epoch`th time, counted from 0: with each step, and with whatever else
 * discards evidence (a pause, a restart, a new config). The parts of all epochs, however many, sum to `alpha`: 6/π² is the inverse of
 * the sum of all 1/k².
 */
export function alphaOfEpoch(alpha: number, epoch: number): number {
  const k = Math.max(0, Math.floor(epoch)) + 1;
  return (alpha * 6) / (Math.PI * Math.PI * k * k);
}
