import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK_31, PREFACE } from '../../../../../src/wire/http2/frames/frame-format.ts';
import { encodeFields } from '../../../../../src/wire/http2/hpack/encoder.ts';
import { frame } from '../../../../support/frame-log.ts';
import { say } from '../../../../support/scripted-h2-server.ts';
import { ask, ServerOnFrames, STREAM_PATH, UNARY_PATH } from '../../../../support/server-on-frames.ts';

const HEAD = ':status 200 content-type application/grpc+proto';

describe('a call on a connection of the server', () => {
  it('is answered with a head, a message and a status, and closed at the end of the turn', () => {
    const server = new ServerOnFrames().greet();
    server.feed(ask.call(1, 'abc'));
    expect(server.calls[0]!.events).toEqual(['received 3']);
    server.turn();
    expect(server.calls[0]!.events).toEqual(['received 3', 'closed']);
    expect(server.log.lines.slice(-3)).toEqual([
      `headers 1 ${HEAD} end=false`,
      'data 1 flow=8 0000000003616263 end=false',
      'headers 1 grpc-status 0 end=true',
    ]);
  });

  it('is refused on its head alone, in one block, and the client is asked to stop', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.feed(ask.head(1));
    const { exchange } = server.calls[0]!;
    (exchange as { refuse(status: number, text: string, headers: readonly string[]): void }).refuse(16, 'Who? é', [
      'x-request-id',
      'r',
    ]);
    server.turn();
    expect(server.log.lines.at(-1)).toBe(`headers 1 ${HEAD} grpc-status 16 grpc-message Who?%20%C3%A9 x-request-id r end=true`);
    expect(server.calls[0]!.events).toEqual(['closed']);
    // Not together with the answer: there are clients who would forget that over it.
    server.send(ask.data(1, Buffer.alloc(10_000), false)).wait(100);
    expect(server.lines('reset')).toEqual([]);
    server.wait(100);
    expect(server.lines('reset')).toEqual(['reset 1 0']);
    // What was on its way is no error.
    server.send(ask.data(1, Buffer.alloc(10_000), false), ask.data(1, Buffer.alloc(10), true));
    expect([server.ended, server.lines('reset').length]).toEqual([false, 1]);
  });

  it('asks a client that goes on sending behind a refusal to stop before its window is full', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.feed(ask.head(1));
    (server.calls[0]!.exchange as { refuse(status: number, text: string, headers: readonly string[]): void }).refuse(16, '', []);
    for (let i = 0; i < 8; i++) server.send(ask.data(1, Buffer.alloc(16_384), false));
    expect([server.lines('reset'), server.lines('window 1')]).toEqual([[], []]);
    server.send(ask.data(1, Buffer.alloc(16_384), false));
    expect(server.lines('reset')).toEqual(['reset 1 0']);
  });

  it('that is refused may end its side by itself, with or without a reset', () => {
    const server = new ServerOnFrames({ resetsPerSecond: 1, burstSeconds: 1 }).greet();
    server.echoes = false;
    for (let id = 1; id < 20; id += 2) {
      server.feed(ask.head(id));
      const exchange = server.calls.at(-1)!.exchange as {
        refuse(status: number, text: string, headers: readonly string[]): void;
      };
      exchange.refuse(16, '', []);
      server.send(id % 4 === 1 ? ask.data(id, Buffer.alloc(0), true) : say.reset(id, 8));
    }
    server.wait(100).wait(100);
    expect([server.lines('reset'), server.ended]).toEqual([[], false]);
  });

  it('reads metadata by its name, joins what comes twice and makes nothing of what is binary', () => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['x-a', '1', 'x-a', '2', 'b-bin', 'AAAA', 'x-b', '3']));
    const { exchange } = server.calls[0]!;
    expect(['x-a', 'b-bin', 'x-b', 'absent'].map((name) => exchange.header(name))).toEqual(['1, 2', '', '3', '']);
    expect([exchange.path, exchange.remoteAddress, exchange.timeoutMs]).toEqual([UNARY_PATH, '192.0.2.1', 0]);
  });

  it('with the same fields as one before has the same notes, and any other has notes of its own', () => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['x-a', '1']));
    server.send(ask.head(3, UNARY_PATH, ['x-a', '1']));
    server.send(ask.head(5, UNARY_PATH, ['x-a', '2']));
    const notes = server.calls.map(({ exchange }) => exchange.notes);
    expect(notes[1]).toBe(notes[0]);
    expect(notes[2]).not.toBe(notes[0]);
    expect(server.calls.map(({ exchange }) => exchange.header('x-a'))).toEqual(['1', '1', '2']);
  });

  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['4m', 4],
    ['1500u', 2],
    ['1n', 1],
    ['0S', 1],
    // 2147483647 ms is the longest that a timer waits; beyond it there is no limit in practice.
    ['2147483S', 2_147_483_000],
    ['2147484S', 0],
    ['596H', 2_145_600_000],
    ['597H', 0],
    ['99999999H', 0],
  ])('takes a grant of %s', (grant, expectedMs) => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['grpc-timeout', grant]));
    expect(server.calls[0]!.exchange.timeoutMs).toBe(expectedMs);
    expect(server.calls[0]!.events).toEqual([]);
  });

  it.each(['', '1', 'S', '-1S', '123456789S', '1.5S', '1s', ' 1S', '1 S'])('refuses a grant of "%s"', (grant) => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['grpc-timeout', grant]));
    const status = server.fields.at(-1)?.get('grpc-status');
    expect([status, server.calls[0]!.events[0]]).toEqual(['13', expect.stringMatching(/^spoiled 13/)]);
  });

  it.each<[string, readonly Buffer[], string]>([
    ['that ends within a message', [ask.data(1, Buffer.from([0, 0, 0, 0, 9, 1]), true)], '13'],
    ['with a flag that is none', [ask.data(1, Buffer.from([2, 0, 0, 0, 0]), true)], '13'],
    ['compressed without an encoding', [ask.data(1, Buffer.from([1, 0, 0, 0, 1, 0]), true)], '13'],
    ['over the limit as soon as it says so', [ask.data(1, Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), false)], '8'],
  ])('is refused with a message %s', (_what, frames, status) => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1), ...frames);
    expect(server.fields.at(-1)!.get('grpc-status')).toBe(status);
    expect(server.calls[0]!.events).toEqual([expect.stringMatching(new RegExp(`^spoiled ${status} `)), 'closed']);
  });

  it('that is cancelled is left and closed, and what is said behind that goes nowhere', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.send(ask.call(1), say.reset(1, 8));
    const call = server.calls[0]!;
    expect(call.events).toEqual(['received 1', 'left', 'closed']);
    const before = server.log.lines.length;
    (call.exchange as unknown as { answer(headers: readonly string[], pieces: readonly Uint8Array[]): void }).answer([], []);
    call.exchange.cut();
    server.turn();
    expect(server.log.lines).toHaveLength(before);
  });
});

describe('a stream of messages', () => {
  it('has each message when it is asked for, and ends when the client has', () => {
    const server = new ServerOnFrames().greet();
    const three = Buffer.concat([ask.message('a'), ask.message('bb'), ask.message('')]);
    server.send(ask.head(1, STREAM_PATH), ask.data(1, three, false));
    expect(server.calls[0]!.events).toEqual(['received 1', 'received 2', 'received 0', 'written', 'written', 'written']);
    server.send(ask.data(1, Buffer.alloc(0), true));
    expect(server.calls[0]!.events.slice(-2)).toEqual(['finished', 'closed']);
    expect(server.lines('data 1')).toHaveLength(3);
    expect(server.log.lines.at(-1)).toBe('headers 1 grpc-status 0 end=true');
  });

  it('has the whole messages that came in one frame with one that is none', () => {
    const server = new ServerOnFrames().greet();
    const two = Buffer.concat([ask.message('a'), ask.message('bb'), Buffer.from([9, 0, 0])]);
    server.send(ask.head(1, STREAM_PATH), ask.data(1, two, false));
    const [first, second, third] = server.calls[0]!.events;
    expect([first, second, third]).toEqual(['received 1', 'received 2', expect.stringMatching(/^spoiled 13 /)]);
    expect(server.lines('data 1')).toHaveLength(2);
    expect(server.log.lines.at(-1)).toMatch(/^headers 1 grpc-status 13 /);
  });

  it('is written when the client has room for it, and ends behind what waits', () => {
    const server = new ServerOnFrames().greet(4, 10);
    server.send(ask.head(1, STREAM_PATH), ask.data(1, ask.message('123456789'), true));
    expect(server.calls[0]!.events).toEqual(['received 9', 'finished']);
    expect(server.lines('data 1').map((line) => line.split(' ')[2])).toEqual(['flow=10']);
    server.send(say.window(1, 4));
    expect(server.calls[0]!.events).toEqual(['received 9', 'finished', 'written', 'closed']);
    expect(server.log.lines.at(-1)).toBe('headers 1 grpc-status 0 end=true');
  });
});

describe('flow control', () => {
  it('keeps to both windows, and gives each stream its turn', () => {
    const server = new ServerOnFrames().greet(4, 1_000);
    const body = Buffer.alloc(995 + 5_000, 1);
    server.send(ask.call(1, body), ask.call(3, body));
    const sent = (id: number): number =>
      server.lines(`data ${id} `).reduce((sum, line) => sum + Number(/flow=(\d+)/.exec(line)![1]), 0);
    expect([sent(1), sent(3)]).toEqual([1_000, 1_000]);
    server.send(say.settings(4, 1_500));
    expect([sent(1), sent(3)]).toEqual([1_500, 1_500]);
    server.send(say.settings(4, 100), say.window(1, 1_400));
    expect([sent(1), sent(3)]).toEqual([1_500, 1_500]);
    server.send(say.window(1, 1), say.window(3, 100_000));
    expect([sent(1), sent(3)]).toEqual([1_501, 6_000]);
    server.send(say.window(1, 10_000));
    expect(sent(1)).toBe(6_000);
    expect(server.calls.map(({ events }) => events.at(-1))).toEqual(['closed', 'closed']);
  });

  it('writes no more than the socket takes, and goes on when it has', () => {
    const server = new ServerOnFrames({ maxUnsentBytes: 100_000 }).greet(4, MASK_31).send(say.window(0, 10_000_000));
    server.writableLength = 100_001;
    server.send(ask.call(1, Buffer.alloc(10_000)), ask.call(3, Buffer.alloc(10_000)));
    expect(server.lines('data')).toEqual([]);
    server.writableLength = 0;
    server.connection.drained();
    server.turn();
    expect(server.calls.map(({ events }) => events)).toEqual(new Array(2).fill(['received 10000', 'closed']));
  });

  it('lets a client send as much as is used, and no more on a stream that nobody reads', () => {
    const server = new ServerOnFrames({ streamWindowBytes: 65_536, connectionWindowBytes: 131_072 }).greet();
    server.send(say.settings(), frame(4, 1, 0, Buffer.alloc(0)));
    server.send(ask.head(1), ask.data(1, Buffer.from([0, 0, 3, 0, 0]), false));
    for (let i = 0; i < 6; i++) server.send(ask.data(1, Buffer.alloc(16_384), false));
    expect(server.lines('window 1').length).toBeGreaterThan(1);
    expect(server.ended).toBe(false);
    server.send(ask.head(3, '/not.grpc/at-all', ['content-type', 'text/plain']));
    for (let i = 0; i < 4; i++) server.send(ask.data(3, Buffer.alloc(16_384), false));
    expect(server.lines('window 3')).toEqual([]);
    server.send(ask.data(3, Buffer.alloc(1), false));
    expect(server.lines('reset 3')).toEqual(['reset 3 3']);
  });

  it('ends a connection that sends more than it has room for', () => {
    const server = new ServerOnFrames({ maxFrameBytes: 131_072, connectionWindowBytes: 65_535 }).greet();
    server.send(ask.head(1), ask.data(1, Buffer.alloc(65_536), false));
    expect(server.farewell).toMatch(/^3 /);
  });
});

describe('what the rules say', () => {
  const malformed: [string, string[]][] = [
    ['no path', [':method', 'POST', ':scheme', 'http']],
    ['an empty path', [':method', 'POST', ':scheme', 'http', ':path', '']],
    ['a path that is none', [':method', 'POST', ':scheme', 'http', ':path', 'x']],
    ['two paths', [':method', 'POST', ':scheme', 'http', ':path', '/a', ':path', '/b']],
    ['a field of HTTP/1.1', ask.fields(UNARY_PATH, ['connection', 'keep-alive'])],
    ['a te that is not trailers', [...ask.fields().slice(0, 10), 'te', 'gzip']],
    ['a pseudo-header field behind a plain one', [...ask.fields(), ':authority', 'x']],
    ['an unknown pseudo-header field', [':odd', 'x', ...ask.fields()]],
    ['a host that is not the authority', ask.fields(UNARY_PATH, ['host', 'other'])],
    ['two lengths', ask.fields(UNARY_PATH, ['content-length', '1', 'content-length', '2'])],
    ['a length that is no number', ask.fields(UNARY_PATH, ['content-length', '+1'])],
  ];

  it.each(malformed)('makes a stream error of %s, and the front never sees it', (_what, pairs) => {
    const server = new ServerOnFrames().greet();
    server.send(frame(1, 4, 1, encodeFields(pairs)));
    expect(server.log.lines.at(-1)).toBe('reset 1 1');
    expect([server.calls, server.ended]).toEqual([[], false]);
  });

  it('takes a te of trailers in any case', () => {
    const server = new ServerOnFrames().greet();
    server.send(frame(1, 4, 1, encodeFields([...ask.fields().slice(0, 10), 'te', 'Trailers'])));
    expect(server.calls).toHaveLength(1);
    expect(server.lines('reset')).toEqual([]);
  });

  it('says in words what is wrong with fields of a call, ahead of the reset', () => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['x-a', 'b\0']));
    expect(server.fields.at(-1)!.get('grpc-status')).toBe('13');
    expect(decodeURIComponent(server.fields.at(-1)!.get('grpc-message')!)).toMatch(/^The header fields are malformed/);
    expect(server.log.lines.at(-1)).toBe('reset 1 1');
    expect(server.calls).toEqual([]);
  });

  it.each<[string, readonly string[], string]>([
    ['a blank behind a value', ['x-a', '1 '], 'x-a'],
    ['a tab ahead of one, the first of two', ['x-a', '\t1', 'x-b', ' '], 'x-a'],
  ])('gives %s to the front, and refuses the call in words', (_what, more, name) => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, more), ask.data(1, ask.message('x'), true));
    expect(server.calls[0]!.events).toEqual([
      expect.stringContaining(`spoiled 3 The value of the header field "${name}"`),
      'closed',
    ]);
    expect([server.fields.at(-1)!.get('grpc-status'), server.lines('reset')]).toEqual(['3', []]);
  });

  it.each<[string, readonly string[]]>([
    ['a pseudo-header field', [':method', 'POST', ':scheme', 'http', ':path', '/a ', 'content-type', 'application/grpc']],
    ['te', [...ask.fields().slice(0, 10), 'te', 'trailers ']],
    ['content-length', ask.fields(UNARY_PATH, ['content-length', '6 '])],
    ['one field, beside another flaw', ask.fields(UNARY_PATH, ['x-a', '1 ', 'x-B', '2'])],
    ['a value with a NUL in it', ask.fields(UNARY_PATH, ['x-a', '\0 '])],
  ])('makes a stream error of a blank at the end of %s', (_what, pairs) => {
    const server = new ServerOnFrames().greet();
    server.send(frame(1, 4, 1, encodeFields(pairs)));
    expect([server.log.lines.at(-1), server.calls]).toEqual(['reset 1 1', []]);
  });

  it.each([
    ['less', '9'],
    ['more', '7'],
  ])('holds a request to the length that it states: %s', (_what, stated) => {
    const server = new ServerOnFrames().greet();
    server.send(ask.head(1, UNARY_PATH, ['content-length', stated]), ask.data(1, ask.message('abc'), true));
    expect(server.log.lines.at(-1)).toBe('reset 1 1');
    expect(server.calls[0]!.events).toEqual(['left', 'closed']);
  });

  it('takes what a length has stated before it minds what is beyond, however the bytes are cut', () => {
    const body = Buffer.concat([ask.message('a'), ask.message('b'), Buffer.from('surplus')]);
    const cuts = [[body], [body.subarray(0, 12), body.subarray(12)], [body.subarray(0, 3), body.subarray(3)]];
    const ends = cuts.map((parts) => {
      const server = new ServerOnFrames().greet();
      server.send(ask.head(1, UNARY_PATH, ['content-length', '12']), ...parts.map((part) => ask.data(1, part, false)));
      return [server.calls[0]!.events, server.lines('headers 1').length, server.lines('reset 1')];
    });
    expect(ends).toEqual(new Array(3).fill([[expect.stringMatching(/^spoiled 0 A second/), 'closed'], 1, []]));
  });

  it('answers what is not gRPC in HTTP, and waits a moment for its end', () => {
    const server = new ServerOnFrames().greet();
    server.send(frame(1, 4, 1, encodeFields([':method', 'POST', ':scheme', 'http', ':path', '/', 'content-type', 'text/html'])));
    server.send(frame(1, 5, 3, encodeFields([':method', 'GET', ':scheme', 'http', ':path', '/'])));
    server.send(frame(1, 5, 5, encodeFields([':method', 'HEAD', ':scheme', 'http', ':path', '/'])));
    expect(server.fields.map((fields) => fields.get(':status'))).toEqual(['415', '405', '405']);
    expect(server.lines('data').map((line) => line.split(' ')[1])).toEqual(['1', '3']);
    expect(server.lines('reset')).toEqual([]);
    server.wait(100).wait(100);
    expect(server.lines('reset')).toEqual(['reset 1 0']);
    expect(server.calls).toEqual([]);
  });

  it('refuses metadata beyond its limits in words, and goes on', () => {
    const server = new ServerOnFrames({ maxHeaderFields: 20 }, { maxMetadataBytes: 2_000 }).greet();
    server.send(ask.head(1, UNARY_PATH, ['x', 'y'.repeat(3_000)]));
    server.send(
      ask.head(
        3,
        UNARY_PATH,
        Array.from({ length: 40 }, (_, i) => `x${i}`),
      ),
    );
    expect(server.fields.map((fields) => fields.get('grpc-status'))).toEqual(['8', '8']);
    server.send(ask.call(5));
    expect(server.calls.map(({ events }) => events)).toEqual([['received 1', 'closed']]);
  });

  it('turns streams away beyond the limit, which may be asked again', () => {
    const server = new ServerOnFrames({}, { maxConcurrentStreams: 2 }).greet();
    server.send(ask.head(1), ask.head(3), ask.head(5));
    expect(server.lines('reset')).toEqual(['reset 5 7']);
    server.send(ask.data(1, ask.message('x'), true), ask.call(7));
    expect(server.calls.map(({ events }) => events)).toEqual([['received 1', 'closed'], [], ['received 1', 'closed']]);
  });

  it.each<[string, Buffer, RegExp]>([
    ['a stream with an even number', ask.head(2), /^1 /],
    ['a stream with a lower number', Buffer.concat([ask.head(5), ask.head(3)]), /^1 /],
    ['HEADERS on a stream that has ended', Buffer.concat([ask.call(1), ask.head(1)]), /^5 /],
    ['DATA on a stream that has not begun', ask.data(1, Buffer.alloc(1), false), /^1 /],
    ['RST_STREAM on a stream that has not begun', say.reset(1, 8), /^1 /],
    ['a header block that is none', frame(1, 4, 1, Buffer.from([0xff, 0xff, 0xff])), /^9 /],
    ['PUSH_PROMISE', frame(5, 4, 1, Buffer.alloc(4)), /^1 /],
    ['a window beyond what there is', say.window(0, 0x7fff_ffff), /^3 /],
    ['a setting that may not be', say.settings(5, 1), /^1 /],
    ['a frame that is too large', frame(0, 0, 1, Buffer.alloc(16_385)), /^6 /],
  ])('ends the connection at %s', (_what, bytes, farewell) => {
    const server = new ServerOnFrames().greet().send(bytes);
    expect([server.farewell, server.ended]).toEqual([expect.stringMatching(farewell), true]);
    expect(server.calls.every(({ events }) => events.at(-1) === 'closed')).toBe(true);
  });
});

describe('the life of a connection', () => {
  it('is asked when it is silent, and given up when it does not answer', () => {
    const server = new ServerOnFrames().greet().wait(59_999);
    expect(server.lines('ping')).toEqual([]);
    const [ping] = server.wait(1).lines('ping');
    server.send(frame(6, 1, 0, Buffer.from(ping!.split(' ')[1]!, 'hex')));
    server.wait(59_999).wait(1).wait(19_999);
    expect([server.lines('ping').length, server.destroyed]).toEqual([2, false]);
    expect(server.wait(1).destroyed).toBe(true);
  });

  it('ends politely when it has been idle for long, and not while a call waits', () => {
    const busy = new ServerOnFrames().greet();
    busy.echoes = false;
    busy.send(ask.call(1));
    const idle = new ServerOnFrames().greet();
    for (let i = 0; i < 10; i++) {
      for (const server of [busy, idle]) server.send(say.window(0, 1)).wait(30_000);
    }
    expect([busy.farewell, idle.farewell]).toEqual(['', '0']);
    expect([busy.ended, idle.ended]).toEqual([false, true]);
  });

  it('drains in two steps: says that it goes, then which call was the last, and ends behind that', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.send(ask.call(1));
    server.connection.drain();
    server.turn();
    expect(server.log.lines.slice(-2)).toEqual([`goaway ${MASK_31} 0 `, expect.stringMatching(/^ping /)]);
    // On its way when the client heard nothing yet.
    server.send(ask.call(3));
    const ping = Buffer.from(server.log.lines.at(-1)!.split(' ')[1]!, 'hex');
    server.send(frame(6, 1, 0, ping), ask.call(5));
    expect(server.log.lines.slice(-2)).toEqual(['goaway 3 0 ', 'reset 5 7']);
    expect(server.calls).toHaveLength(2);
    for (const { exchange } of server.calls) {
      expect(server.ended).toBe(false);
      (exchange as unknown as { answer(headers: readonly string[], pieces: readonly Uint8Array[]): void }).answer([], []);
      server.turn();
    }
    expect(server.turn().ended).toBe(true);
  });

  it('serves streams up to the last number that there is, and drains behind it like behind any other', () => {
    const server = new ServerOnFrames().greet();
    server.send(ask.call(MASK_31 - 2), ask.call(MASK_31));
    expect(server.calls.map(({ events }) => events)).toEqual(new Array(2).fill(['received 1', 'closed']));
    server.connection.drain();
    server.turn().wait(10).wait(1_000).wait(10);
    expect([server.lines('goaway'), server.ended]).toEqual([new Array(3).fill(`goaway ${MASK_31} 0 `), true]);
  });

  it('takes a number below the last one for an error, however near the end it is', () => {
    const server = new ServerOnFrames().greet().send(ask.call(MASK_31), ask.head(MASK_31 - 2));
    expect([server.farewell, server.ended]).toEqual([expect.stringMatching(/^1 /), true]);
    expect(server.lines('goaway')).toEqual([expect.stringContaining(`goaway ${MASK_31} 1 `)]);
  });

  it('knows of the last stream that it was reset', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.send(ask.head(MASK_31));
    server.calls[0]!.exchange.cut();
    server.turn().send(ask.data(MASK_31, Buffer.alloc(3), true));
    expect([server.lines('reset'), server.ended]).toEqual([[`reset ${MASK_31} 8`], false]);
  });

  it('names the last call after a while when the client does not answer', () => {
    const server = new ServerOnFrames().greet();
    server.connection.drain();
    server.turn().wait(10).wait(990);
    expect(server.ended).toBe(false);
    expect(server.wait(10).ended).toBe(true);
  });

  it('tells every call that its client has left when the socket is lost', () => {
    const server = new ServerOnFrames().greet();
    server.echoes = false;
    server.send(ask.call(1), ask.head(3), ask.head(5, STREAM_PATH));
    server.connection.lost();
    expect(server.calls.map(({ events }) => events)).toEqual([
      ['received 1', 'left', 'closed'],
      ['left', 'closed'],
      ['left', 'closed'],
    ]);
  });
});

describe('however the bytes are split', () => {
  const call = fc.record({
    message: fc.uint8Array({ maxLength: 300 }),
    streams: fc.boolean(),
    cuts: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
    padding: fc.integer({ min: 0, max: 20 }),
    fate: fc.constantFrom('whole', 'whole', 'whole', 'reset', 'second', 'plain'),
    between: fc.constantFrom('', 'ping', 'window', 'priority', 'settings'),
  });
  type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

  const padded = (streamId: number, bytes: Uint8Array, padding: number, endStream: boolean): Buffer =>
    padding === 0
      ? ask.data(streamId, bytes, endStream)
      : frame(0, 8 | (endStream ? 1 : 0), streamId, Buffer.concat([Buffer.of(padding), bytes, Buffer.alloc(padding)]));

  function bytesOf({ message, streams, cuts, padding, fate, between }: Call, streamId: number): Buffer {
    const path = streams ? STREAM_PATH : UNARY_PATH;
    const block = encodeFields(fate === 'plain' ? ask.fields(path).slice(0, 8) : ask.fields(path, ['x-mark', String(streamId)]));
    const half = block.length >> 1;
    const frames = [frame(1, 0, streamId, block.subarray(0, half)), frame(9, 4, streamId, block.subarray(half))];
    const body = Buffer.concat([ask.message(message), fate === 'second' ? ask.message('second') : Buffer.alloc(0)]);
    let at = 0;
    for (const cut of cuts) {
      frames.push(padded(streamId, body.subarray(at, at + cut), padding, false));
      at = Math.min(body.length, at + cut);
    }
    if (between === 'ping') frames.push(frame(6, 0, 0, Buffer.alloc(8, streamId)));
    if (between === 'window') frames.push(say.window(0, 10));
    if (between === 'priority') frames.push(frame(2, 0, streamId, Buffer.alloc(5)));
    if (between === 'settings') frames.push(say.settings(4, 60_000 + streamId));
    frames.push(fate === 'reset' ? say.reset(streamId, 8) : padded(streamId, body.subarray(at), padding, true));
    return Buffer.concat(frames);
  }

  function heard(pieces: readonly Buffer[], turns: boolean): unknown {
    const server = new ServerOnFrames({ settingsPerSecond: 1_000 });
    for (const piece of pieces) {
      server.feed(Buffer.from(piece));
      if (turns) server.turn();
    }
    server.turn();
    // Where turns end is no part of the answer: within a stream everything comes in the same order.
    const ofStream = (line: string): string => (/^(headers|data|reset|window) (\d+)/.exec(line) ?? ['', '', '0'])[2]!;
    const byStream = Object.groupBy(server.log.lines, ofStream);
    return [byStream, server.calls.map(({ path, events }) => [path, events.filter((event) => event !== 'written')])];
  }

  it('says the same and hears the same', () => {
    fc.assert(
      fc.property(
        fc.array(call, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (calls, sizes, turns) => {
          const stream = Buffer.concat([PREFACE, say.settings(4, 60_000), ...calls.map((one, i) => bytesOf(one, i * 2 + 1))]);
          const pieces: Buffer[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length]!;
            pieces.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(heard(pieces, turns)).toEqual(heard([stream], false));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('also byte for byte', () => {
    const stream = Buffer.concat([PREFACE, say.settings(), ask.call(1, 'abc'), ask.call(3, 'def', STREAM_PATH)]);
    expect(
      heard(
        Array.from(stream, (octet) => Buffer.of(octet)),
        true,
      ),
    ).toEqual(heard([stream], false));
  });
});
