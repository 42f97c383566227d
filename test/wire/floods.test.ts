import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { PREFACE } from '../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../src/wire/http2/frames/frame-reader.ts';
import { encodeFields } from '../../src/wire/http2/hpack/encoder.ts';
import { FrameLog, frame } from '../support/frame-log.ts';
import { say } from '../support/scripted-h2-server.ts';
import { ask } from '../support/server-on-frames.ts';
import { WireServerProcess } from './support/wire-server-process.ts';

const NEVER = '/test.Wire/Never';
const ENHANCE_YOUR_CALM = '11';
const FRAMES_AT_ONCE = 200;
const HONEST_CALLS = 500;
/** The machine that runs this may be busy with other things. */
const MOST_P99_MS = 250;

/** Sends what it is told to as fast as the server takes it, until the server ends the connection. */
class Attacker {
  readonly ended: Promise<void>;
  readonly log = new FrameLog();
  readonly #socket: Socket;

  constructor(port: number, settings: readonly number[], next: (i: number) => Buffer) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    const reader = new FrameReader(this.log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 100 });
    socket.on('data', (chunk: Buffer) => reader.read(chunk, 0, chunk.length));
    socket.write(Buffer.concat([PREFACE, say.settings(...settings)]));
    let sent = 0;
    const pour = (): void => {
      while (!socket.destroyed && socket.writable) {
        const frames = Buffer.concat(Array.from({ length: FRAMES_AT_ONCE }, () => next(sent++)));
        if (frames.length === 0 || !socket.write(frames)) break;
      }
    };
    socket.on('drain', pour);
    pour();
  }

  /** The code of the server's GOAWAY; empty where it could not be read any more. */
  get code(): string {
    return this.log.lines.find((line) => line.startsWith('goaway'))?.split(' ')[2] ?? '';
  }

  stop(): void {
    this.#socket.destroy();
  }
}

const idOf = (i: number): number => i * 2 + 1;
const PING = frame(6, 0, 0, Buffer.alloc(8));

const FLOODS: readonly [string, (i: number) => Buffer][] = [
  ['rapid resets', (i) => Buffer.concat([ask.head(idOf(i), NEVER), say.reset(idOf(i), 8)])],
  ['resets that it provokes', (i) => Buffer.concat([ask.head(idOf(i), NEVER), say.window(idOf(i), 0)])],
  [
    'CONTINUATION without an end',
    (i) => (i === 0 ? frame(1, 0, 1, encodeFields(ask.fields())) : frame(9, 0, 1, Buffer.alloc(10))),
  ],
  ['pings', () => PING],
  ['settings', () => say.settings(4, 100)],
  ['frames without effect', () => frame(2, 0, 1, Buffer.alloc(5))],
];

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

  it.each(FLOODS)('ends a connection of %s, while others are served', async (_what, next) => {
    await honest(50);
    const attackers = Array.from({ length: 4 }, () => new Attacker(server.port, [], next));
    const served = honest(HONEST_CALLS);
    await Promise.all(attackers.map(({ ended }) => ended));
    const tookMs = await served;
    expect(tookMs[Math.floor(HONEST_CALLS * 0.99)]).toBeLessThan(MOST_P99_MS);
    expect(new Set(attackers.map(({ code }) => code))).toEqual(new Set([ENHANCE_YOUR_CALM]));
    await expect.poll(() => server.open()).toBe(0);
  });

  it('serves others while a client gives its answers no room', async () => {
    const attacker = new Attacker(server.port, [4, 0], (i) =>
      i < FRAMES_AT_ONCE ? ask.call(idOf(i), 'x', '/test.Wire/Echo') : Buffer.alloc(0),
    );
    await honest(HONEST_CALLS);
    // They wait for room, as many as may, until they are cut.
    expect(await server.open()).toBe(FRAMES_AT_ONCE);
    attacker.stop();
    await expect.poll(() => server.open()).toBe(0);
  });
});
