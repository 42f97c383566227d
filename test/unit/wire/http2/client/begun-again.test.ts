import { describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../../../src/core/grpc-status.ts';
import { H2Error } from '../../../../../src/wire/http2/h2-error.ts';
import { Setting } from '../../../../../src/wire/http2/settings.ts';
import { type ChannelWorld, over, textOf, world } from '../../../../support/channel-world.ts';
import { type ScriptedPeer, say } from '../../../../support/scripted-h2-server.ts';

/** Calls of which the server says that it has not looked at them (RFC 9113, 6.8 and 8.7; transparent retries of gRPC's proposal A6). */

async function nextConnection(it: ChannelWorld): Promise<ScriptedPeer> {
  const peer = await it.server.next();
  peer.send(say.settings());
  return peer;
}

/** A connection that has answered stream 1; one that has answered nothing counts as none. */
async function provedConnection(it: ChannelWorld, ...settings: number[]): Promise<ScriptedPeer> {
  const peer = await it.connected(...settings);
  const first = it.ask(Buffer.from('?'));
  await peer.heard('data 1');
  peer.send(say.answer(1, '!'));
  expect(await textOf(first)).toBe('!');
  return peer;
}

const dataOf = (peer: ScriptedPeer, streamId: number): string[] =>
  peer.log.lines.filter((line) => line.startsWith(`data ${streamId} `)).map((line) => line.split(' ')[3]!);

describe('A call that the server has not looked at', () => {
  it('begins once more on the same connection when its stream is refused', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask(Buffer.from('who?'));
    await peer.heard('data 1');
    peer.send(say.reset(1, H2Error.RefusedStream));
    await peer.heard('data 3');
    expect(dataOf(peer, 3)).toEqual(dataOf(peer, 1));
    peer.send(say.answer(3, 'me'));
    expect(await textOf(ending)).toBe('me');
    expect(peer.log.lines.some((line) => line.startsWith('reset'))).toBe(false);
  });

  it('ends as not sent when it is refused twice', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.reset(1, H2Error.RefusedStream));
    await peer.heard('data 3');
    peer.send(say.reset(3, H2Error.RefusedStream));
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, false]);
    expect(ending.ends).toBe(1);
  });

  it('begins once more on the next connection when it stands above the last of GOAWAY, and the others end where they are', async () => {
    const it = await world();
    const peer = await it.connected();
    const [first, second, third] = [it.ask(Buffer.from('1')), it.ask(Buffer.from('2')), it.ask(Buffer.from('3'))];
    await peer.heard('data 5');
    peer.send(say.goAway(1));
    const other = await nextConnection(it);
    await other.heard('data 3');
    expect([dataOf(other, 1), dataOf(other, 3)]).toEqual([dataOf(peer, 3), dataOf(peer, 5)]);
    other.send(say.answer(3, 'c'), say.answer(1, 'b'));
    peer.send(say.answer(1, 'a'));
    expect(await Promise.all([first!, second!, third!].map(textOf))).toEqual(['a', 'b', 'c']);
    await peer.gone();
  });

  it('ends as not sent when the next connection does not come about', async () => {
    const it = await world();
    const peer = await provedConnection(it);
    const ending = it.ask();
    await peer.heard('data 3');
    peer.send(say.goAway(1));
    (await it.server.next()).cut();
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, false]);
  });

  it('ends as not sent when the connection has never answered anything', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.goAway(0));
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, false]);
  });

  it('keeps to its deadline while it waits, and can be cancelled', async () => {
    const it = await world();
    const peer = await provedConnection(it);
    const [late, unwanted] = [it.ask(undefined, 500), it.ask()];
    await peer.heard('data 5');
    peer.send(say.goAway(1));
    // It does not say its SETTINGS, so that no call begins on it.
    await it.server.next();
    unwanted!.call.cancel();
    expect(await over(unwanted!)).toEqual([GrpcStatus.Cancelled, false]);
    it.alarms.advance(500);
    expect(await over(late!)).toEqual([GrpcStatus.DeadlineExceeded, false]);
  });

  it('is sent from its beginning, and the rest of it not where it began', async () => {
    const it = await world();
    const wide = [Setting.InitialWindowSize, 100_000];
    const peer = await provedConnection(it, ...wide);
    const question = ['abc', 'def'].map((text) => Buffer.alloc(35_000, text));
    const [stays, goes] = [it.ask(Buffer.from('?')), it.ask(question)];
    // Of both connections the window ends before the question does.
    await peer.heard('data 5');
    peer.send(say.goAway(3));
    const next = await it.server.next();
    next.send(say.settings(...wide));
    await next.heard('data 1');
    peer.send(say.window(0, 100_000), say.answer(3, 'stayed'));
    expect(await textOf(stays!)).toBe('stayed');
    await peer.gone();
    next.send(say.window(0, 100_000));
    await next.heard(`data 1 flow=${5 + 70_000 - 65_535} `);
    next.send(say.answer(1, 'went'));
    expect(await textOf(goes!)).toBe('went');
    const [there, here] = [dataOf(peer, 5).join(''), dataOf(next, 1).join('')];
    expect(dataOf(peer, 1)).toHaveLength(1);
    expect(there.length).toBeLessThan(here.length);
    expect(here).toBe(`0000011170${Buffer.concat(question).toString('hex')}`);
  });

  it('begins where another has been refused as often as there are calls', async () => {
    const it = await world();
    const peer = await it.connected();
    const endings = Array.from({ length: 20 }, () => it.ask());
    await peer.heard('data 39');
    for (let id = 1; id < 40; id += 2) peer.send(say.reset(id, H2Error.RefusedStream));
    await peer.heard('data 79');
    for (let id = 41; id < 80; id += 2) peer.send(say.answer(id, String(id)));
    expect((await Promise.all(endings.map(textOf))).sort()).toEqual(
      Array.from({ length: 20 }, (_, i) => String(41 + 2 * i)).sort(),
    );
  });

  it('does not begin again when its answer has begun', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.head(1), say.reset(1, H2Error.RefusedStream));
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, false]);
    expect(dataOf(peer, 3)).toEqual([]);
  });
});
