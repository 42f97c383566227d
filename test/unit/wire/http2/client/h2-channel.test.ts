import { describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../../../src/core/grpc-status.ts';
import { H2Error } from '../../../../../src/wire/http2/h2-error.ts';
import { Setting } from '../../../../../src/wire/http2/settings.ts';
import type { Ending } from '../../../../support/call-endings.ts';
import { over, world } from '../../../../support/channel-world.ts';
import { frame } from '../../../../support/frame-log.ts';
import { type ScriptedPeer, say } from '../../../../support/scripted-h2-server.ts';

/** What the engine of our own does with a server that breaks rules, or keeps those that few servers use. Time stands still. */

describe('H2Channel and what a server may do', () => {
  it('speaks first, and sends no call before the server has spoken', async () => {
    const it = await world();
    const ending = it.ask();
    const peer = await it.server.next();
    await peer.heard('window 0');
    expect(peer.log.lines.map((line) => line.split(' ')[0])).toEqual(['settings', 'window']);
    peer.send(say.settings());
    await peer.heard('data 1');
    expect(await peer.heard('settings ack')).toBeDefined();
    peer.send(say.answer(1, 'yes'));
    expect((await ending.ended).message?.toString()).toBe('yes');
  });

  it('writes the calls of one turn at once, each with its own id', async () => {
    const it = await world();
    const peer = await it.connected();
    const endings = [it.ask(), it.ask(), it.ask()];
    await peer.heard('data 5');
    peer.send(say.answer(5, 'c'), say.answer(1, 'a'), say.answer(3, 'b'));
    const answers = await Promise.all(endings.map((one) => one.ended));
    expect(answers.map((one) => one.message?.toString())).toEqual(['a', 'b', 'c']);
    expect(peer.fields.every((fields) => fields.get(':path') === '/a/b' && fields.get('grpc-timeout') === '60000m')).toBe(true);
  });

  it('pings a silent server that owes an answer, and gives it up when nothing comes', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    it.alarms.advance(29_999);
    it.alarms.advance(1);
    await peer.heard('ping ');
    it.alarms.advance(9_999);
    expect(ending.ends).toBe(0);
    it.alarms.advance(1);
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
    await peer.gone();
  });

  it('leaves a server alone that owes nothing, and one that has shown a sign of life', async () => {
    const it = await world();
    const peer = await it.connected();
    it.alarms.advance(100_000);
    const ending = it.ask(undefined, 1_000_000);
    await peer.heard('data 1');
    it.alarms.advance(29_999);
    peer.send(frame(6, 0, 0, Buffer.from('12345678')));
    await peer.heard('ping ack 3132333435363738');
    it.alarms.advance(29_999);
    expect(peer.log.lines.filter((line) => line.startsWith('ping 73')).length).toBe(0);
    peer.send(say.answer(1, 'late'));
    expect((await ending.ended).message?.toString()).toBe('late');
  });

  it('ends at the deadline, tells the server, and does not mind what comes after', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask(undefined, 500);
    const other = it.ask();
    await peer.heard('data 3');
    it.alarms.advance(500);
    expect(await over(ending)).toEqual([GrpcStatus.DeadlineExceeded, true]);
    await peer.heard('reset 1 8');
    peer.send(say.answer(1, 'too late'), say.window(1, 5), say.reset(1, 8), say.answer(3, 'in time'));
    expect((await other.ended).message?.toString()).toBe('in time');
    expect(ending.ends).toBe(1);
  });

  it('takes CANCEL for the end of its time when that is over, be it that its own alarm has not rung yet', async () => {
    const it = await world();
    const peer = await it.connected();
    const [late, cut] = [it.ask(undefined, 500), it.ask(undefined, 501)];
    await peer.heard('data 3');
    // The clock alone: the alarm rings later.
    it.clock.advance(500);
    peer.send(say.reset(1, H2Error.Cancel), say.reset(3, H2Error.Cancel));
    expect(await over(late!)).toEqual([GrpcStatus.DeadlineExceeded, true]);
    expect(await over(cut!)).toEqual([GrpcStatus.Cancelled, true]);
  });

  it('ends at the deadline also where no connection stands', async () => {
    const it = await world();
    const ending = it.ask(undefined, 500);
    await it.server.next();
    it.alarms.advance(500);
    expect(await over(ending)).toEqual([GrpcStatus.DeadlineExceeded, false]);
  });

  it('tries again by itself after a pause, and fails at once what is asked meanwhile', async () => {
    const it = await world();
    const first = it.ask();
    (await it.server.next()).cut();
    expect(await over(first)).toEqual([GrpcStatus.Unavailable, false]);
    expect(await over(it.ask())).toEqual([GrpcStatus.Unavailable, false]);
    it.alarms.advance(99);
    expect(await over(it.ask())).toEqual([GrpcStatus.Unavailable, false]);
    it.alarms.advance(1);
    const peer = await it.server.next();
    const ready = it.channel.ready(5_000);
    peer.send(say.settings());
    expect(await ready).toBe(true);
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(say.answer(1, 'up'));
    expect((await ending.ended).message?.toString()).toBe('up');
  });

  it('pauses also when connections stand and are lost before they are of use', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.cut();
    expect(await over(ending)).toEqual([GrpcStatus.Unavailable, true]);
    expect(await over(it.ask())).toEqual([GrpcStatus.Unavailable, false]);
    it.alarms.advance(100);
    await it.server.next();
  });

  it('makes a second connection when the server limits the calls on one, and no third', async () => {
    const it = await world();
    const first = await it.connected(Setting.MaxConcurrentStreams, 1);
    const endings = [it.ask(), it.ask(), it.ask()];
    const second = await it.server.next();
    second.send(say.settings(Setting.MaxConcurrentStreams, 1));
    await first.heard('data 1');
    await second.heard('data 1');
    first.send(say.answer(1, 'a'));
    await first.heard('data 3');
    first.send(say.answer(3, 'c'));
    second.send(say.answer(1, 'b'));
    const answers = await Promise.all(endings.map((one) => one.ended));
    expect(answers.map((one) => one.message?.toString())).toEqual(['a', 'b', 'c']);
  });

  it('does not let the first connection suffer for a second that failed', async () => {
    const it = await world();
    const first = await it.connected(Setting.MaxConcurrentStreams, 1);
    const endings = [it.ask(), it.ask()];
    (await it.server.next()).cut();
    await first.heard('data 1');
    first.send(say.answer(1, 'a'));
    await first.heard('data 3');
    first.send(say.answer(3, 'b'), say.goAway(3));
    await Promise.all(endings.map((one) => one.ended));
    await first.gone();
    const ending = it.ask();
    const next = await it.server.next();
    next.send(say.settings());
    await next.heard('data 1');
    next.send(say.answer(1, 'c'));
    expect((await ending.ended).message?.toString()).toBe('c');
  });

  it('waits for windows, and fills them to the byte', async () => {
    const it = await world();
    const peer = await it.connected(Setting.InitialWindowSize, 3);
    const ending = it.ask(Buffer.from('abcdef'));
    expect(await peer.heard('data 1')).toBe('data 1 flow=3 000000 end=false');
    peer.send(say.window(1, 1));
    await peer.heard('data 1 flow=1 00 end=false');
    peer.send(say.settings(Setting.InitialWindowSize, 7));
    await peer.heard(`data 1 flow=4 06${Buffer.from('abc').toString('hex')} end=false`);
    peer.send(say.window(1, 100));
    await peer.heard(`data 1 flow=3 ${Buffer.from('def').toString('hex')} end=true`);
    peer.send(say.answer(1, 'x'));
    expect((await ending.ended).message?.toString()).toBe('x');
  });

  it('shares the window of the connection among calls that are stuck', async () => {
    const it = await world();
    const peer = await it.connected(Setting.InitialWindowSize, 1_000_000);
    const endings = [it.ask(Buffer.alloc(60_000, 1)), it.ask(Buffer.alloc(60_000, 2))];
    await peer.heard('data 3');
    peer.send(say.window(0, 100_000));
    await peer.heard('data 3 flow=16384');
    for (const id of [1, 3]) peer.send(say.answer(id, `${id}`));
    const answers = await Promise.all(endings.map((one) => one.ended));
    expect(answers.map((one) => one.message?.toString())).toEqual(['1', '3']);
  });

  it('gives the server more room as answers are read', async () => {
    const it = await world();
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    const body = Buffer.alloc(900_000, 9);
    const whole = say.message(1, body).subarray(9);
    peer.send(say.head(1));
    for (let at = 0; at < whole.length; at += 16_384) peer.send(frame(0, 0, 1, whole.subarray(at, at + 16_384)));
    await peer.heard('window 1');
    peer.send(say.status(1));
    expect((await ending.ended).message?.equals(body)).toBe(true);
  });
});

describe('H2Channel and rules that a server breaks', () => {
  /** The answer to one call, and how it ends. */
  async function answered(...frames: readonly Uint8Array[]): Promise<{ ending: Ending; peer: ScriptedPeer }> {
    const it = await world({ maxMessageBytes: 1_000 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    peer.send(...frames);
    return { ending: await ending.ended, peer };
  }

  const head = say.head(1);
  it.each([
    ['a compressed message', [head, say.message(1, 'x', 1)], H2Error.Protocol],
    ['a message with an unknown flag', [head, say.message(1, 'x', 7)], H2Error.Protocol],
    ['DATA before HEADERS', [say.message(1, 'x')], H2Error.Protocol],
    ['DATA before HEADERS, also without bytes', [frame(0, 0, 1, Buffer.alloc(0))], H2Error.Protocol],
    ['an HTTP status that is no number', [say.headers(1, [':status', '2OO'])], H2Error.Protocol],
    ['no HTTP status', [say.headers(1, ['content-type', 'application/grpc'])], H2Error.Protocol],
    ['a pseudo-header field of requests', [say.headers(1, [':status', '200', ':path', '/'])], H2Error.Protocol],
    ['an upper-case name', [say.headers(1, [':status', '200', 'Grpc-Status', '0'])], H2Error.Protocol],
    ['trailers that do not end the stream', [head, say.headers(1, ['grpc-status', '0'])], H2Error.Protocol],
    ['a pseudo-header field in trailers', [head, say.headers(1, [':status', '200', 'grpc-status', '0'], true)], 0],
    ['an increment of nothing', [say.window(1, 0)], H2Error.Protocol],
    ['a window beyond 31 bits', [say.window(1, 0x7fff_ffff)], H2Error.FlowControl],
    ['switching protocols', [say.headers(1, [':status', '101'])], H2Error.Protocol],
    ['endless interim answers', Array(9).fill(say.headers(1, [':status', '103'])), H2Error.Protocol],
  ])('ends the call alone at %s', async (_what, frames, code) => {
    const { ending, peer } = await answered(...(frames as Buffer[]));
    expect([ending.status, ending.message, ending.sent]).toEqual([GrpcStatus.Internal, null, true]);
    if (code > 0) await peer.heard(`reset 1 ${code}`);
    expect(peer.ended).toBe(false);
  });

  it('does not take half a message for one', async () => {
    const cut = frame(0, 0, 1, Buffer.from([0, 0, 0, 0, 3, 1]));
    const { ending } = await answered(head, cut, say.status(1));
    expect([ending.status, ending.details]).toEqual([GrpcStatus.Internal, 'The answer ended within a message.']);
  });

  it('passes over interim answers', async () => {
    const { ending } = await answered(say.headers(1, [':status', '103']), say.answer(1, 'x'));
    expect(ending.message?.toString()).toBe('x');
  });

  it('takes no page of a web server for an answer', async () => {
    const { ending, peer } = await answered(say.headers(1, [':status', '200', 'content-type', 'text/html']));
    expect(ending.status).toBe(GrpcStatus.Unknown);
    await peer.heard('reset 1 8');
  });

  it('takes header fields only as large as it has said', async () => {
    const long = ['a', 'b', 'c'].flatMap((name) => [name, 'x'.repeat(12_000)]);
    const block = Buffer.concat([head.subarray(9), say.headers(1, long).subarray(9)]);
    const parts = [frame(1, 0, 1, block.subarray(0, 16_000)), frame(9, 0, 1, block.subarray(16_000, 32_000))];
    const { ending } = await answered(...parts, frame(9, 4, 1, block.subarray(32_000)));
    expect([ending.status, ending.sent]).toEqual([GrpcStatus.Internal, true]);
    expect(ending.details).toContain('more than are taken');
  });

  it('tells the server to stop when an answer ends before the question has', async () => {
    const it = await world();
    const peer = await it.connected(Setting.InitialWindowSize, 10);
    const ending = it.ask(Buffer.alloc(100));
    await peer.heard('data 1');
    peer.send(say.headers(1, [':status', '200', 'content-type', 'application/grpc', 'grpc-status', '7'], true));
    expect(await over(ending)).toEqual([GrpcStatus.PermissionDenied, true]);
    await peer.heard('reset 1 8');
  });

  it('leaves no stream behind half open when an answer without a status ends before the question has', async () => {
    const it = await world();
    const peer = await it.connected(Setting.InitialWindowSize, 10);
    const ending = it.ask(Buffer.alloc(100));
    await peer.heard('data 1');
    peer.send(say.headers(1, [':status', '200', 'content-type', 'application/grpc'], true));
    expect(await over(ending)).toEqual([GrpcStatus.Internal, true]);
    await peer.heard('reset 1 8');
  });

  const bytes = (length: number): Buffer => Buffer.alloc(length);
  it.each([
    ['a block that is no HPACK', [frame(1, 4, 1, Buffer.from([0xff, 0xff]))], H2Error.Compression],
    ['a frame that is too large', [frame(0, 0, 1, bytes(16_385))], H2Error.FrameSize],
    ['a stream of its own', [say.headers(2, [':status', '200'])], H2Error.Protocol],
    ['a stream that has not begun', [say.message(9, 'x')], H2Error.Protocol],
    ['a reset of one that has not begun', [say.reset(9, 1)], H2Error.Protocol],
    ['a push', [frame(5, 4, 1, bytes(8))], H2Error.Protocol],
    ['a setting that may not be', [say.settings(Setting.MaxFrameSize, 5)], H2Error.Protocol],
    [
      'an initial window that overflows another',
      [say.window(1, 0x7fff_0000), say.settings(Setting.InitialWindowSize, 0x7fff_ffff)],
      H2Error.FlowControl,
    ],
    ['a window of the connection beyond 31 bits', [say.window(0, 0x7fff_ffff)], H2Error.FlowControl],
    ['an increment of nothing for the connection', [say.window(0, 0)], H2Error.Protocol],
    ['a flood of pings', Array(20_001).fill(frame(6, 0, 0, bytes(8))), H2Error.EnhanceYourCalm],
    ['a flood of settings', Array(20_001).fill(say.settings()), H2Error.EnhanceYourCalm],
    ['a flood of CONTINUATION', [frame(1, 0, 1, bytes(1)), ...Array(9).fill(frame(9, 0, 1, bytes(0)))], H2Error.EnhanceYourCalm],
  ])('closes the connection at %s', async (_what, frames, code) => {
    const { ending, peer } = await answered(...(frames as Buffer[]));
    expect([ending.status, ending.sent]).toEqual([GrpcStatus.Unavailable, true]);
    expect(ending.details).toContain('broke the rules');
    expect(await peer.heard('goaway')).toContain(`goaway 0 ${code} `);
    await peer.gone();
  });

  it('notices more DATA than the window of a stream has room for', async () => {
    const it = await world({ maxMessageBytes: 100_000_000 });
    const peer = await it.connected();
    const ending = it.ask();
    await peer.heard('data 1');
    // The channel's loop reads none of it before all is sent: no window is widened in between.
    const first = frame(0, 0, 1, Buffer.concat([Buffer.from([0, 5, 0, 0, 0]), bytes(11)]));
    peer.send(head, first, ...Array(4).fill(frame(0, 1, 1, bytes(16_000))));
    expect((await ending.ended).status).toBe(GrpcStatus.Internal);
  });

  it('ends every call once, whatever junk comes', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const junk = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * seed * 7_919 + (i >> 3) * seed) & 0xff));
      // Short frames of types that exist, on the stream of the call.
      for (let i = 0; i + 9 < junk.length; i += 21) junk.set([0, 0, 12, junk[i]! % 11, junk[i + 1]!, 0, 0, 0, 1], i);
      const it = await world();
      const peer = await it.connected();
      const ending = it.ask();
      await peer.heard('data 1');
      peer.send(junk);
      peer.cut();
      expect((await ending.ended).ends).toBe(1);
    }
  });
});
