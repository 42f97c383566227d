import { describe, expect, it } from 'vitest';
import { framesAsRead, mutatedFrames } from '../../bench/fuzz/http2/frame-mutations.ts';
import { serverSession } from '../../bench/fuzz/http2/server-session.ts';
import type { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { CLIENT_PERMITS } from './support/client-permits.ts';
import { type DuelEnd, duel } from './support/duel.ts';
import { duels, SESSIONS } from './support/duels.ts';
import { type PlannedCall, pairOfClients } from './support/pair-of-clients.ts';

const MOST_CALLS = 5;

function plannedCalls(random: SeededRandom): PlannedCall[] {
  const call = (): PlannedCall => ({ question: Buffer.alloc(random.below(200), 'q'), isStream: random.below(2) === 0 });
  return Array.from({ length: 1 + random.below(MOST_CALLS) }, call);
}

async function compared(
  calls: readonly PlannedCall[],
  [greeting, ...frames]: readonly Buffer[],
  turns: number,
): Promise<DuelEnd> {
  const pair = await pairOfClients(greeting!, calls, turns);
  const end = await duel(pair, frames, CLIENT_PERMITS, turns);
  pair.close();
  return end;
}

describe('our client beside one on node:http2', () => {
  it('makes the same of all that a server may say', async () => {
    const { mismatches, steps } = await duels((random, turns) => {
      const calls = plannedCalls(random);
      return compared(calls, serverSession(random, calls.length), turns);
    });
    expect(mismatches).toEqual([]);
    expect(steps).toBeGreaterThan(SESSIONS * 5);
  });

  it('takes the same for errors in what a server may not say, but for what is permitted', async () => {
    const { mismatches } = await duels((random, turns) => {
      const calls = plannedCalls(random);
      const [greeting, ...frames] = serverSession(random, calls.length);
      // Without a greeting nobody asks anything.
      return compared(calls, [greeting!, ...framesAsRead(Buffer.concat(mutatedFrames(random, frames)), false)], turns);
    });
    expect(mismatches).toEqual([]);
  });
});
