/** Sends errands side by side, so many at a time. */

import type { Caller, Errand, Outcome } from './errand.ts';

export interface Callers {
  readonly rest: Caller;
  readonly grpc: Caller;
}

export async function sendAll(callers: Callers, errands: readonly Errand[], atOnce: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const line = async (): Promise<void> => {
    while (next < errands.length) {
      const errand = errands[next++]!;
      outcomes.push(await callers[errand.face].send(errand));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  return outcomes;
}
