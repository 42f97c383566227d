import { describe, expect, it } from 'vitest';
import { PREFACE } from '../../../../../src/wire/http2/frames/frame-format.ts';
import { encodeFields } from '../../../../../src/wire/http2/hpack/encoder.ts';
import { frame } from '../../../../support/frame-log.ts';
import { say } from '../../../../support/scripted-h2-server.ts';
import { ask, ServerOnFrames } from '../../../../support/server-on-frames.ts';

const CALM = '11';
const PING = frame(6, 0, 0, Buffer.alloc(8));

/** Sends the same over and over until the connection ends; how often it took. */
function untilEnd(server: ServerOnFrames, most: number, next: (i: number) => Buffer): number {
  for (let i = 0; i < most; i++) {
    if (server.ended) return i;
    server.send(next(i));
  }
  return most;
}

describe('a connection that is flooded', () => {
  it('ends at rapid resets, and each call that was begun is closed', () => {
    const server = new ServerOnFrames({ resetsPerSecond: 10, burstSeconds: 2 }).greet();
    const sent = untilEnd(server, 100, (i) => Buffer.concat([ask.head(i * 2 + 1), say.reset(i * 2 + 1, 8)]));
    expect(sent).toBe(21);
    expect(server.farewell).toBe(`${CALM} too many streams are reset`);
    expect(server.calls.map(({ events }) => events)).toEqual(new Array(21).fill(['left', 'closed']));
  });

  it('takes resets at the pace that is allowed for ever', () => {
    const server = new ServerOnFrames({ resetsPerSecond: 10, burstSeconds: 2 }).greet();
    for (let i = 0; i < 200; i++) {
      server.wait(100);
      server.send(ask.head(i * 2 + 1), say.reset(i * 2 + 1, 8));
    }
    expect(server.ended).toBe(false);
  });

  it('takes resets at any pace from a client that takes as many answers, and no more of them', () => {
    const server = new ServerOnFrames({ resetsPerSecond: 10, burstSeconds: 2 }).greet();
    for (let i = 0; i < 200; i++) server.send(ask.call(i * 4 + 1), ask.head(i * 4 + 3), say.reset(i * 4 + 3, 8));
    expect(server.ended).toBe(false);
    const sent = untilEnd(server, 100, (i) => Buffer.concat([ask.head(i * 2 + 1_001), say.reset(i * 2 + 1_001, 8)]));
    expect([sent, server.farewell]).toEqual([20, `${CALM} too many streams are reset`]);
  });

  it.each<[string, (streamId: number) => Buffer]>([
    ['room that is none', (id) => Buffer.concat([ask.head(id), say.window(id, 0)])],
    ['room that is too much', (id) => Buffer.concat([ask.head(id), say.window(id, 0x7fff_ffff), say.window(id, 0x7fff_ffff)])],
    ['data behind the end', (id) => Buffer.concat([ask.call(id), ask.data(id, Buffer.alloc(1), false)])],
    ['malformed fields', (id) => frame(1, 5, id, encodeFields([':method', 'POST', 'Upper', 'x']))],
  ])('counts resets that it is made to send, by %s', (_what, provoke) => {
    const server = new ServerOnFrames({ resetsPerSecond: 10, burstSeconds: 2 }).greet();
    expect(untilEnd(server, 100, (i) => provoke(i * 2 + 1))).toBe(21);
    expect(server.farewell).toBe(`${CALM} too many streams are in error`);
  });

  it.each<[string, Buffer, string]>([
    ['pings', PING, 'too many PING'],
    ['answers to pings', frame(6, 1, 0, Buffer.alloc(8)), 'too many PING'],
    ['settings', say.settings(), 'too many SETTINGS'],
    ['priorities', frame(2, 0, 1, Buffer.alloc(5)), 'too many frames without effect'],
    ['frames that nobody knows', frame(99, 0, 0, Buffer.alloc(3)), 'too many frames without effect'],
  ])('ends at too many %s', (_what, bytes, problem) => {
    const limits = { pingsPerSecond: 5, settingsPerSecond: 5, emptyFramesPerSecond: 5, burstSeconds: 2 };
    const server = new ServerOnFrames(limits).greet();
    expect(untilEnd(server, 100, () => bytes)).toBeLessThanOrEqual(11);
    expect(server.farewell).toBe(`${CALM} ${problem}`);
  });

  it('ends at too many DATA frames without data', () => {
    const server = new ServerOnFrames({ emptyFramesPerSecond: 5, burstSeconds: 2 }).greet();
    server.send(ask.head(1));
    expect(untilEnd(server, 100, () => ask.data(1, Buffer.alloc(0), false))).toBe(11);
    expect(server.farewell).toBe(`${CALM} too many frames without effect`);
    expect(server.calls[0]!.events).toEqual(['left', 'closed']);
  });

  it('ends at a header block without an end', () => {
    const server = new ServerOnFrames({ maxContinuations: 4 }).greet();
    server.send(frame(1, 0, 1, encodeFields(ask.fields())));
    expect(untilEnd(server, 100, () => frame(9, 0, 1, Buffer.alloc(0)))).toBe(5);
    expect(server.farewell).toMatch(/^11 ENHANCE_YOUR_CALM/);
    expect(server.calls).toEqual([]);
  });

  it('ends at a header block that is far too large', () => {
    const server = new ServerOnFrames({}, { maxMetadataBytes: 1_000 }).greet();
    server.send(frame(1, 0, 1, Buffer.alloc(3_000)), frame(9, 4, 1, Buffer.alloc(3_000)));
    expect(server.farewell).toMatch(/^11 ENHANCE_YOUR_CALM/);
  });

  it('cuts answers that are given no room, and ends when there is never any', () => {
    const server = new ServerOnFrames({ maxStalledStreams: 2 }, { writeStallMs: 1_000 }).greet(4, 0);
    for (let i = 0; i < 3; i++) {
      server.send(ask.call(i * 2 + 1));
      server.wait(999);
      expect(server.calls[i]!.events).toEqual(['received 1']);
      server.wait(1);
      expect(server.calls[i]!.events).toEqual(['received 1', 'left', 'closed']);
      expect(server.ended).toBe(i === 2);
    }
    expect(server.lines('reset')).toEqual(['reset 1 8', 'reset 3 8', 'reset 5 8']);
    expect(server.farewell).toBe(`${CALM} too many answers were given no room`);
  });

  it('reads no further while its own answers to pings and refusals are not taken', () => {
    const server = new ServerOnFrames({ pingsPerSecond: 1_000_000 }).greet();
    server.writableLength = 1_000_000;
    server.send(PING);
    expect(server.paused).toBe(true);
    server.writableLength = 0;
    server.connection.drained();
    expect(server.paused).toBe(false);
  });

  it('gives up a connection that takes no byte', () => {
    const server = new ServerOnFrames({}, { writeStallMs: 1_000 }).greet();
    server.writableLength = 100;
    server.send(PING).wait(500).wait(5_500);
    expect(server.destroyed).toBe(false);
    server.wait(500);
    expect(server.destroyed).toBe(true);
  });

  it('throws away what comes behind the farewell, up to a point', () => {
    const server = new ServerOnFrames().greet();
    server.send(say.window(0, 0));
    expect(server.farewell).toMatch(/^1 /);
    expect([server.ended, server.destroyed]).toEqual([true, false]);
    server.feed(Buffer.alloc(1_000_000));
    expect(server.paused).toBe(false);
    server.feed(Buffer.alloc(100_000));
    expect([server.paused, server.destroyed]).toEqual([true, false]);
    expect(server.wait(10).wait(1_000).destroyed).toBe(true);
  });

  it('does not wait for the preface for ever, nor for the end of a farewell', () => {
    const silent = new ServerOnFrames();
    silent.send(PREFACE.subarray(0, 10)).wait(9_999);
    expect(silent.destroyed).toBe(false);
    expect(silent.wait(1).destroyed).toBe(true);
    const parted = new ServerOnFrames();
    parted.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(parted.farewell).toBe('1 The first bytes are not those of HTTP/2.');
    parted.wait(10).wait(999);
    expect(parted.destroyed).toBe(false);
    expect(parted.wait(1).destroyed).toBe(true);
  });
});
