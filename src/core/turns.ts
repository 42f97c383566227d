import type { Maybe } from './verdict.ts';

/** Long copies, a bounded piece in each turn of the event loop. */

/** Bytes copied in one turn: 0.5 ms into memory that is new, where all of 64 MiB took 30 to 40 ms. */
export const TURN_BYTES = 1_048_576;

const waiting: (() => void)[] = [];

/** The next free turn. Each goes to one copy, so that many at the same time make none of them longer. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(giveTurn);
}

/** Copies `pieces` to `places` (an offset each) of `target`; a promise only where that takes more than a turn. */
export function copyInTurns(pieces: readonly Uint8Array[], places: readonly number[], target: Uint8Array): Maybe<void> {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  if (size > TURN_BYTES) return copySlowly(pieces, places, target);
  for (let i = 0; i < pieces.length; i++) target.set(pieces[i]!, places[i]!);
}

/** `pieces` one after another in fresh bytes. */
export function joinInTurns(pieces: readonly Uint8Array[]): Maybe<Uint8Array> {
  const places: number[] = [];
  let size = 0;
  for (let i = 0; i < pieces.length; i++) {
    places.push(size);
    size += pieces[i]!.length;
  }
  const whole = Buffer.allocUnsafeSlow(size);
  const copied = copyInTurns(pieces, places, whole);
  return copied instanceof Promise ? copied.then(() => whole) : whole;
}

async function copySlowly(pieces: readonly Uint8Array[], places: readonly number[], target: Uint8Array): Promise<void> {
  let roomBytes = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    for (let at = 0; at < piece.length; ) {
      if (roomBytes === 0) {
        await nextTurn();
        roomBytes = TURN_BYTES;
      }
      const part = piece.subarray(at, at + roomBytes);
      target.set(part, places[i]! + at);
      at += part.length;
      roomBytes -= part.length;
    }
  }
}
