import { describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../../../src/core/grpc-status.ts';
import { H2Error } from '../../../../../src/wire/http2/h2-error.ts';
import { Setting } from '../../../../../src/wire/http2/settings.ts';
import { over, textOf, type WorldOptions, world } from '../../../../support/channel-world.ts';
import { frame } from '../../../../support/frame-log.ts';
import { say } from '../../../../support/scripted-h2-server.ts';

/** Each limit of `backend.http2` at work. Time stands still. */

describe('H2Channel and its limits', () => {
  it('tells the server what it takes', async () => {
    const it = await world({
      headerTableBytes: 100,
      streamWindowBytes: 2_000,
      maxFrameBytes: 20_000,
      maxMetadataBytes: 5_000,
      connectionWindowBytes: 70_000,
    });
    const peer = await it.connected();
    const settings = [1, 100, 2, 0, 4, 2_000, 5, 20_000, 6, 5_000];
    expect(await peer.heard('window 0')).toBe(`window 0 ${70_000 - 65_535}`);
    expect(peer.log.lines[0]).toBe(`settings ${say.settings(...settings).toString('hex', 9)}`);
  });

  it('gives no room for nothing where the window is the one that all connections have', async () => {
    const it = await world({ connectionWindowBytes: 65_535 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.answer(1, 'x'));
    expect(await textOf(ending)).toBe('x');
    expect(peer.log.lines.filter((line) => line.startsWith('window'))).toEqual([]);
  });

  it('makes as many connections as it may, one after the other, for calls that wait already', async () => {
    const it = await world({ maxConnections: 3 });
    const first = await it.connected(Setting.MaxConcurrentStreams, 1);
    const endings = [it.ask(), it.ask(), it.ask(), it.ask()];
    const others = [await it.server.next()];
    others[0]!.send(say.settings(Setting.MaxConcurrentStreams, 1));
    others.push(await it.server.next());
    others[1]!.send(say.settings(Setting.MaxConcurrentStreams, 1));
    for (const [i, peer] of [first, ...others].entries()) {
      await peer.heard('data 1');
      peer.send(say.answer(1, `${i}`));
    }
    await first.heard('data 3');
    first.send(say.answer(3, '3'));
    expect(await Promise.all(endings.map(textOf))).toEqual(['0', '1', '2', '3']);
  });

  it('has no more calls on a connection than it may, whatever the server takes', async () => {
    const it = await world({ maxConnections: 1, maxConcurrentStreams: 2 });
    const peer = await it.connected();
    const endings = [it.ask(), it.ask(), it.ask()];
    await peer.heard('data 3');
    peer.send(say.answer(3, 'b'));
    await peer.heard('data 5');
    expect(peer.log.lines.findIndex((line) => line.startsWith('headers 5'))).toBeGreaterThan(0);
    peer.send(say.answer(1, 'a'), say.answer(5, 'c'));
    expect(await Promise.all(endings.map(textOf))).toEqual(['a', 'b', 'c']);
  });

  it('lets so many calls wait, and refuses the next at once', async () => {
    const it = await world({ maxWaitingCalls: 2 });
    const waiting = [it.ask(), it.ask()];
    const refused = it.ask();
    expect(await over(refused)).toEqual([GrpcStatus.ResourceExhausted, false]);
    expect(refused.details).toContain('http2.maxWaitingCalls');
    const peer = await it.server.next();
    peer.send(say.settings());
    await peer.heard('data 3');
    peer.send(say.answer(1, 'a'), say.answer(3, 'b'));
    expect(await Promise.all(waiting.map(textOf))).toEqual(['a', 'b']);
  });

  it('asks a silent server after the time that is configured, and waits as long as is configured', async () => {
    const it = await world({ keepAliveTimeMs: 5_000, keepAliveTimeoutMs: 700 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    it.alarms.advance(4_999);
    expect(peer.log.lines.some((line) => line.startsWith('ping'))).toBe(false);
    it.alarms.advance(1);
    await peer.heard('ping ');
    it.alarms.advance(699);
    expect(ending.ends).toBe(0);
    it.alarms.advance(1);
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
    expect(ending.details).toContain('ping');
  });

  it('pings half as often a server that found it too often', async () => {
    const it = await world({ keepAliveTimeMs: 5_000 });
    const peer = await it.connected();
    const first = it.ask();
    await peer.heard('data 1');
    peer.send(say.goAway(1, H2Error.EnhanceYourCalm), say.answer(1, 'a'));
    expect(await textOf(first)).toBe('a');
    const other = await it.connected();
    it.ask();
    await other.heard('data 1');
    it.alarms.advance(9_999);
    expect(other.log.lines.some((line) => line.startsWith('ping'))).toBe(false);
    it.alarms.advance(1);
    await other.heard('ping ');
  });

  const ping = frame(6, 0, 0, Buffer.alloc(8));
  it.each<[string, WorldOptions, Buffer, number]>([
    ['pings', { pingsPerSecond: 4, burstSeconds: 1 }, ping, 4],
    ['settings', { settingsPerSecond: 2, burstSeconds: 2 }, say.settings(), 4],
    ['frames of an unknown type', { emptyFramesPerSecond: 4, burstSeconds: 1 }, frame(99, 0, 0, Buffer.alloc(1)), 4],
    ['farewells', { emptyFramesPerSecond: 4, burstSeconds: 1 }, say.goAway(3), 4],
  ])('takes so many %s at once, as many again when time has passed, and not one more', async (_what, limits, one, burst) => {
    const it = await world(limits);
    const peer = await it.connected();
    const [ending, other] = [it.ask(), it.ask()];
    await peer.heard('data 3');
    it.clock.advance(3_000);
    peer.send(...Array<Buffer>(burst).fill(one), say.answer(3, 'b'));
    expect(await textOf(other!)).toBe('b');
    it.clock.advance(3_000);
    peer.send(...Array<Buffer>(burst).fill(one), one);
    expect(await over(ending!)).toEqual([GrpcStatus.Unavailable, true]);
    expect(await peer.heard('goaway')).toContain(` ${H2Error.EnhanceYourCalm} `);
  });

  it.each<[string, WorldOptions, readonly Buffer[]]>([
    ['fields', { maxHeaderFields: 3 }, [say.headers(1, [':status', '200', 'a', '1', 'b', '2', 'c', '3'])]],
    ['bytes of them', { maxMetadataBytes: 200 }, [say.headers(1, [':status', '200', 'a', 'x'.repeat(200)])]],
  ])('fails a call whose answer has more header %s than are taken, and that call alone', async (_what, limits, frames) => {
    const it = await world(limits);
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(...frames);
    expect(await over(ending)).toEqual([GrpcStatus.Internal, true]);
    expect(peer.ended).toBe(false);
  });

  const piece = frame(9, 0, 1, Buffer.alloc(0));
  it.each<[string, WorldOptions, readonly Buffer[], number]>([
    ['too many CONTINUATION', { maxContinuations: 1 }, [frame(1, 0, 1, Buffer.alloc(0)), piece, piece], H2Error.EnhanceYourCalm],
    ['a block far beyond its limit', { maxMetadataBytes: 100 }, [frame(1, 0, 1, Buffer.alloc(401))], H2Error.EnhanceYourCalm],
    ['a frame that is too large', { maxFrameBytes: 20_000 }, [frame(0, 0, 1, Buffer.alloc(20_001))], H2Error.FrameSize],
  ])('closes a connection with %s', async (_what, limits, frames, code) => {
    const it = await world(limits);
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(...frames);
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
    expect(await peer.heard('goaway')).toContain(`goaway 0 ${code} `);
  });

  it('takes no more of a stream than its window has room for', async () => {
    const it = await world({ streamWindowBytes: 1_024 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.head(1), say.message(1, Buffer.alloc(1_020)));
    expect(await over(ending)).toEqual([GrpcStatus.Internal, true]);
    await peer.heard(`reset 1 ${H2Error.FlowControl}`);
  });
});

describe('H2Channel and connections that nobody needs', () => {
  it('closes the second when calls fit on the first again, and leaves the first alone', async () => {
    const it = await world({ maxConnectionIdleMs: 10_000 });
    const first = await it.connected(Setting.MaxConcurrentStreams, 1);
    const long = it.ask();
    const short = it.ask();
    const second = await it.server.next();
    second.send(say.settings(Setting.MaxConcurrentStreams, 1));
    await second.heard('data 1');
    second.send(say.answer(1, 'short'));
    expect(await textOf(short)).toBe('short');
    it.alarms.advance(9_999);
    expect(second.ended).toBe(false);
    it.alarms.advance(1);
    expect(await second.heard('goaway')).toBe(`goaway 0 ${H2Error.None} `);
    await second.gone();
    first.send(say.answer(1, 'long'));
    expect(await textOf(long)).toBe('long');
    expect(first.ended).toBe(false);
  });

  it('counts from the last call, and cuts none that comes at the last moment', async () => {
    const it = await world({ maxConnectionIdleMs: 10_000 });
    const peer = await it.connected();
    it.alarms.advance(9_999);
    const ending = it.ask();
    await peer.heard('data 1');
    it.alarms.advance(10_001);
    peer.send(say.answer(1, 'a'));
    expect(await textOf(ending)).toBe('a');
    it.alarms.advance(9_999);
    const next = it.ask();
    await peer.heard('data 3');
    peer.send(say.answer(3, 'b'));
    expect(await textOf(next)).toBe('b');
    expect(peer.log.lines.some((line) => line.startsWith('goaway'))).toBe(false);
  });

  it('closes the only one too, and the next call makes another at once', async () => {
    const it = await world({ maxConnectionIdleMs: 1_000 });
    const peer = await it.connected();
    it.alarms.advance(1_000);
    await peer.heard('goaway 0 0');
    await peer.gone();
    const ending = it.ask();
    const other = await it.server.next();
    other.send(say.settings());
    await other.heard('data 1');
    other.send(say.answer(1, 'again'));
    expect(await textOf(ending)).toBe('again');
  });
});
