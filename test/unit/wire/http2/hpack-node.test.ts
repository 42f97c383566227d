import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { PREFACE } from '../../../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../../../src/wire/http2/hpack/decoder.ts';
import { encodeFields, NO_TABLE } from '../../../../src/wire/http2/hpack/encoder.ts';
import { settingsFrame } from '../../../../src/wire/http2/settings.ts';
import { FrameLog, frame } from '../../../support/frame-log.ts';

/** Node's own HTTP/2 on the other side of a socket, in both directions. */

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const HTTP = { authority: 'localhost', scheme: 'http', method: 'POST' };
const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).map((name) => `x-${name}`);
const value = fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/);
const lists = fc.sample(fc.dictionary(token, value, { maxKeys: 12, noNullPrototype: true }), { seed: 9, numRuns: 60 });

function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

describe('HPACK between this and node:http2', () => {
  it('reads all that it writes, its table and its Huffman code included', async () => {
    const heard: string[][][] = [];
    let all: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      all = resolve;
    });
    const server = createServer((socket) => {
      const decoder = new HpackDecoder({ tableBytes: 4_096, maxFields: 128, maxListBytes: 65_536 });
      const log = new FrameLog();
      log.onHeaders = (_stream, _end, block, from, to) => {
        expect(decoder.decode(block, from, to), decoder.problem).toBe(true);
        const { count, names, values } = decoder.fields;
        heard.push(Array.from({ length: count }, (_, i) => [names[i]!, values[i]!]));
        if (heard.length === lists.length) all();
        return 0;
      };
      const reader = new FrameReader(log, { maxFrameBytes: 16_384, maxBlockBytes: 65_536, maxContinuations: 16 });
      let skip = PREFACE.length;
      socket.on('data', (chunk: Buffer) => {
        const from = Math.min(skip, chunk.length);
        skip -= from;
        expect(reader.read(chunk, from, chunk.length), reader.problem).toBe(0);
      });
      socket.on('error', () => undefined);
      socket.write(settingsFrame([]));
      closers.push(() => socket.destroy());
    });
    closers.push(() => server.close());
    const session = connectHttp2(`http://127.0.0.1:${await listening(server)}`);
    session.on('error', () => undefined);
    closers.push(() => session.destroy());
    for (const list of lists) {
      const stream = session.request({ ':method': 'POST', ':path': '/p', ...list }, { endStream: true });
      stream.on('error', () => undefined);
    }
    await done;
    const plain = heard.map((fields) => fields.filter(([name]) => !name!.startsWith(':')));
    expect(plain).toEqual(lists.map((list) => Object.entries(list)));
  });

  it('writes what it reads', async () => {
    const server = createHttp2Server({ settings: { headerTableSize: 0 } });
    const heard = new Promise<Record<string, unknown>[]>((resolve) => {
      const all: Record<string, unknown>[] = [];
      server.on('stream', (_stream, headers) => {
        all.push({ ...headers });
        if (all.length === lists.length) resolve(all);
      });
    });
    server.on('session', (session) => closers.push(() => session.destroy()));
    closers.push(() => server.close());
    const port = await listening(server);
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    socket.write(Buffer.concat([PREFACE, settingsFrame([])]));
    for (const [n, list] of lists.entries()) {
      const pairs = Object.entries(list).flat();
      const head = [':method', HTTP.method, ':scheme', HTTP.scheme, ':path', '/p', ':authority', HTTP.authority];
      const block = encodeFields([...head, ...pairs]);
      const whole = n === 0 ? Buffer.concat([Buffer.from([NO_TABLE]), block]) : block;
      socket.write(frame(1, 0x5, n * 2 + 1, whole));
    }
    const plain = (await heard).map((headers) => Object.entries(headers).filter(([name]) => !name.startsWith(':')));
    expect(plain).toEqual(lists.map((list) => Object.entries(list)));
  });
});
