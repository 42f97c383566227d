import { joinInTurns, TURN_BYTES } from '../../core/turns.ts';
import type { Maybe } from '../../core/verdict.ts';

const NOTHING = Buffer.alloc(0);

/** A body as one run of bytes: the piece itself where there is just one, else one copy; a promise only where that copy is long. @hot */
export function wholeBody(pieces: readonly Uint8Array[]): Maybe<Uint8Array> {
  if (pieces.length === 1) return pieces[0]!;
  if (pieces.length === 0) return NOTHING;
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  return size <= TURN_BYTES ? Buffer.concat(pieces, size) : joinInTurns(pieces);
}
