import { describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../../../src/core/grpc-status.ts';
import { H2Error } from '../../../../../src/wire/http2/h2-error.ts';
import { type ChannelWorld, over, textOf, world } from '../../../../support/channel-world.ts';
import { say } from '../../../../support/scripted-h2-server.ts';

/** How a channel comes up again, and what it says of the calls that a connection took along. */

/** The next try fails as well, and comes after a pause of so long. */
async function failsAfter(it: ChannelWorld, pauseMs: number): Promise<void> {
  // The loss of the last one is known when the alarm for the next is set; until then the longest it may take is.
  while (it.alarms.nextMs === CONNECT_MS) await new Promise((resolve) => setImmediate(resolve));
  expect(it.alarms.nextMs).toBe(pauseMs);
  expect(await over(it.ask())).toEqual([GrpcStatus.Unavailable, false]);
  it.alarms.advance(pauseMs);
  (await it.server.next()).cut();
}

const CONNECT_MS = 1_000;

describe('H2Channel and a server that is away', () => {
  it('tries with pauses that grow, and begins with short ones again once it has been of use', async () => {
    const it = await world();
    const first = it.ask();
    (await it.server.next()).cut();
    expect(await over(first)).toEqual([GrpcStatus.Unavailable, false]);
    for (const pauseMs of [100, 160, 256, 410]) await failsAfter(it, pauseMs);
    while (it.alarms.nextMs === CONNECT_MS) await new Promise((resolve) => setImmediate(resolve));
    it.alarms.advance(655);
    const peer = await it.server.next();
    const ready = it.channel.ready(10_000);
    peer.send(say.settings());
    await ready;
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.answer(1, 'up'));
    expect(await textOf(ending)).toBe('up');
    const doomed = it.ask();
    await peer.heard('data 3');
    peer.cut();
    expect(await over(doomed)).toEqual([GrpcStatus.Unavailable, true]);
    const lost = it.ask();
    (await it.server.next()).cut();
    await over(lost);
    await failsAfter(it, 100);
  });

  it('dials no faster where the server stands and leaves at once', async () => {
    const it = await world();
    const ready = it.channel.ready(10_000);
    const peer = await it.server.next();
    peer.send(say.settings(), say.goAway(0));
    expect(await ready).toBe(true);
    await peer.gone();
    await failsAfter(it, 100);
    await failsAfter(it, 160);
  });

  it('gives up every call on a connection whose ping is not answered, and goes on with another', async () => {
    const it = await world();
    const peer = await it.connected();
    const endings = [it.ask(), it.ask()];
    await peer.heard('data 3');
    it.alarms.advance(30_000);
    await peer.heard('ping ');
    it.alarms.advance(10_000);
    for (const ending of endings) {
      expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
      expect(ending.details).toBe('The server did not answer a ping in time.');
    }
    const next = it.ask();
    const other = await it.server.next();
    other.send(say.settings());
    await other.heard('data 1');
    other.send(say.answer(1, 'there'));
    expect(await textOf(next)).toBe('there');
  });

  it('refuses one stream without harm to the others on its connection', async () => {
    const it = await world();
    const peer = await it.connected();
    const [refused, other] = [it.ask(), it.ask()];
    await peer.heard('data 3');
    peer.send(say.reset(1, H2Error.RefusedStream));
    await peer.heard('data 5');
    peer.send(say.reset(5, H2Error.RefusedStream), say.answer(3, 'b'));
    expect(await over(refused!)).toEqual([GrpcStatus.Unavailable, false]);
    expect(await textOf(other!)).toBe('b');
    const again = it.ask();
    await peer.heard('data 7');
    peer.send(say.answer(7, 'a'));
    expect(await textOf(again)).toBe('a');
  });
});
