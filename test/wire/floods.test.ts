import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { Attacker } from './support/attacker.ts';
import { floods, noRoom } from './support/floods.ts';
import { WireServerProcess } from './support/wire-server-process.ts';

const NEVER = { path: '/test.Wire/Never', headers: [] };
const ENHANCE_YOUR_CALM = '11';
const CALLS_WITHOUT_ROOM = 200;
const HONEST_CALLS = 500;
/** The machine that runs this may be busy with other things. */
const MOST_P99_MS = 250;

describe('the server of our own under attack', () => {
  let server: WireServerProcess;
  let channel: GrpcChannel;

  beforeAll(async () => {
    server = await WireServerProcess.start('own');
    const address = `127.0.0.1:${server.port}`;
    channel = openGrpcChannel('own', {
      address,
      ip: '',
      tls: null,
      maxMessageBytes: 1_000_000,
      connectTimeoutMs: 5_000,
      http2: http2Backend.parse({}),
    });
    await channel.ready(5_000);
  });

  afterAll(() => {
    channel.close();
    server.stop();
  });

  /** One call after the other; how long each took. */
  async function honest(calls: number): Promise<number[]> {
    const tookMs: number[] = [];
    for (let i = 0; i < calls; i++) {
      const startMs = performance.now();
      const mark = `marked ${i}`;
      const answer = await new Promise<string>((resolve) => {
        channel.unary(
          '/test.Wire/Echo',
          Buffer.from(mark),
          { headers: [], timeoutMs: 10_000 },
          {
            onAnswer: (message) => resolve(String(message)),
            onStatus: (status, details) => resolve(`${status} ${details}`),
          },
        );
      });
      expect(answer).toBe(mark);
      tookMs.push(performance.now() - startMs);
    }
    return tookMs.toSorted((a, b) => a - b);
  }

  it.each(floods(NEVER))('ends a connection of $name, while others are served', async (flood) => {
    await honest(50);
    const attackers = Array.from({ length: 4 }, () => new Attacker(server.port, flood));
    const served = honest(HONEST_CALLS);
    await Promise.all(attackers.map(({ ended }) => ended));
    const tookMs = await served;
    expect(tookMs[Math.floor(HONEST_CALLS * 0.99)]).toBeLessThan(MOST_P99_MS);
    // On a busy machine an attacker may not have read yet what the end of the connection takes along.
    const codes = new Set(attackers.map(({ code }) => code));
    codes.delete('');
    expect([...codes]).toEqual([ENHANCE_YOUR_CALM]);
    await expect.poll(() => server.open()).toBe(0);
  });

  it('serves others while a client gives its answers no room', async () => {
    const attacker = new Attacker(server.port, noRoom({ path: '/test.Wire/Echo', headers: [] }, CALLS_WITHOUT_ROOM, 'x'));
    await honest(HONEST_CALLS);
    // They wait for room, as many as may, until they are cut.
    expect(await server.open()).toBe(CALLS_WITHOUT_ROOM);
    attacker.stop();
    await expect.poll(() => server.open()).toBe(0);
  });
});
