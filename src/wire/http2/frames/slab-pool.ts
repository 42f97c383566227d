/**
 * Memory into which frames are written before they go to a socket, lent for one turn of the event loop. So many connections need no more of
 * it than speak in the same turn.
 */
export const SLAB_BYTES = 65_536;
/** As many are kept; what a burst took beyond goes back to the system. */
const MAX_KEPT = 64;

const kept: Buffer[] = [];

export const takeSlab = (): Buffer => kept.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);

/** Nobody may look at it any more. */
export function giveSlab(slab: Buffer): void {
  if (kept.length < MAX_KEPT) kept.push(slab);
}
