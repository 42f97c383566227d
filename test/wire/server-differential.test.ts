import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientSession } from '../../bench/fuzz/http2/client-session.ts';
import { framesAsRead, mutatedFrames } from '../../bench/fuzz/http2/frame-mutations.ts';
import { type DuelEnd, duel, pairOfServers } from './support/duel.ts';
import { duels, SESSIONS } from './support/duels.ts';
import { PATHS } from './support/echo-paths.ts';
import { startNodeEchoServer } from './support/node-echo-server.ts';
import { type EchoServer, startOwnEchoServer } from './support/own-echo-server.ts';
import { SERVER_PERMITS } from './support/server-permits.ts';

describe('our server beside one on node:http2', () => {
  let own: EchoServer;
  let node: EchoServer;

  beforeAll(async () => {
    [own, node] = await Promise.all([startOwnEchoServer(), startNodeEchoServer()]);
  });

  afterAll(() => Promise.all([own.close(), node.close()]));

  async function compared(frames: readonly Buffer[], turns: number): Promise<DuelEnd> {
    const pair = await pairOfServers(own.port, node.port);
    const end = await duel(pair, frames, SERVER_PERMITS, turns);
    pair.close();
    return end;
  }

  it('gives the same answers to all that a client may say', async () => {
    const { mismatches, steps } = await duels((random, turns) => compared(clientSession(random, PATHS), turns));
    expect(mismatches).toEqual([]);
    expect(steps).toBeGreaterThan(SESSIONS * 5);
    await expect.poll(() => own.open(), { timeout: 10_000 }).toBe(0);
  });

  it('takes the same for errors in what a client may not say, but for what is permitted', async () => {
    const { mismatches } = await duels((random, turns) => {
      const frames = mutatedFrames(random, clientSession(random, PATHS));
      return compared(framesAsRead(Buffer.concat(frames), true), turns);
    });
    expect(mismatches).toEqual([]);
    await expect.poll(() => own.open(), { timeout: 10_000 }).toBe(0);
  });
});
