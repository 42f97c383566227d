import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { anyOf } from '../../bench/fuzz/http2/field-blocks.ts';
import { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { http2Backend } from '../../src/config/http2-schema.ts';
import { grpcListen } from '../../src/config/listen-schema.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { openGrpcServer } from '../../src/wire/grpc/open-server.ts';

/** Header blocks of ours as node:http2 reads them, and the other way round, while the sizes of tables change. */

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const CALLS = 400;
const PATH = '/t.T/Call';
const GRPC = { ':method': 'POST', ':path': PATH, te: 'trailers', 'content-type': 'application/grpc' };
const TABLE_BYTES = [0, 60, 200, 1_000, 4_096, 65_536];
const EMPTY = Buffer.alloc(5);

/** Names and values that come again, of which tables are made, and some that do not. */
function fields(random: SeededRandom): Record<string, string> {
  const list: Record<string, string> = {};
  for (let count = random.below(8); count > 0; count--) {
    const name = random.below(4) === 0 ? `x-${random.below(1_000_000).toString(36)}` : `x-known-${random.below(12)}`;
    list[name] = random.below(2) === 0 ? anyOf(random, ['1', 'true', 'a value', 'x'.repeat(150)]) : value(random);
  }
  return list;
}

/** Every character that gRPC carries, none of them a blank at an end. */
function value(random: SeededRandom): string {
  const middle = Array.from({ length: random.below(40) }, () => String.fromCharCode(0x20 + random.below(95))).join('');
  return `<${middle}>`;
}

const pairsOf = (list: Record<string, string>): string[] => Object.entries(list).flat();

const known = (headers: IncomingHttpHeaders | Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-')));

async function port(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe.each(TABLE_BYTES)('our server with a table of %i bytes and a client on node:http2', (headerTableBytes) => {
  it('read what the other writes', async () => {
    const random = new SeededRandom(7_541 + headerTableBytes);
    const lists = Array.from({ length: CALLS }, () => ({ asked: fields(random), answered: fields(random) }));
    const heard: Record<string, unknown>[] = [];
    const options = {
      ...grpcListen.parse({ engine: 'own', maxConcurrentStreams: 1_000, http2: { headerTableBytes, settingsPerSecond: 10_000 } }),
      ...{ tls: null, maxMessageBytes: 1_000, hasRoom: () => true, onRefused: () => undefined },
    };
    const server = openGrpcServer('own', options, {
      streams: new Set(),
      stream: () => {
        throw new Error('no stream was asked for');
      },
      unary: (exchange) => {
        const n = Number(exchange.header('n'));
        const names = Object.keys(lists[n]!.asked);
        heard[n] = Object.fromEntries(names.map((name) => [name, exchange.header(name)]));
        exchange.read();
        return {
          received: (message) => exchange.answer(pairsOf(lists[n]!.answered), [message]),
          spoiled: () => undefined,
          left: () => undefined,
          closed: () => undefined,
        };
      },
    });
    const door = createTcpServer((socket) => server.adopt(socket));
    closers.push(
      () => server.drain(0),
      () => door.close(),
    );
    const session = connect(`http://127.0.0.1:${await port(door)}`);
    closers.push(() => session.destroy());
    for (const [n, { asked, answered }] of lists.entries()) {
      const stream = session.request({ ...GRPC, n: String(n), ...asked });
      stream.resume().end(EMPTY);
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(known(headers)).toEqual(answered);
      // What we write from now on has to fit another table, and theirs may be told so in the middle of calls.
      if (n % 10 === 0) session.settings({ headerTableSize: anyOf(random, TABLE_BYTES) });
    }
    expect(heard).toEqual(lists.map(({ asked }) => asked));
  });
});

describe('our client and a server on node:http2', () => {
  it('read what the other writes, whatever tables the server asks for', async () => {
    const random = new SeededRandom(9_113);
    const lists = Array.from({ length: CALLS }, () => ({ asked: fields(random), answered: fields(random) }));
    const heard: Record<string, unknown>[] = [];
    const server = createServer();
    server.on('session', (session) => closers.push(() => session.destroy()));
    server.on('stream', (stream, headers) => {
      const n = heard.push(known(headers)) - 1;
      stream.resume();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...lists[n]!.answered }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': String(n), ...lists[n]!.answered }),
      );
      stream.end();
      if (n % 10 === 0) stream.session?.settings({ headerTableSize: anyOf(random, TABLE_BYTES) });
    });
    closers.push(() => server.close());
    const address = `127.0.0.1:${await port(server)}`;
    // With a table, which is what this is about.
    const http2 = http2Backend.parse({ headerTableBytes: 4_096 });
    const channel = openGrpcChannel('own', {
      address,
      ip: '',
      tls: null,
      maxMessageBytes: 1_000,
      connectTimeoutMs: 10_000,
      http2,
    });
    closers.push(() => channel.close());
    for (const [n, { asked }] of lists.entries()) {
      const options = { headers: pairsOf(asked), timeoutMs: 60_000 };
      const [status, details] = await new Promise<[number, string]>((resolve) => {
        channel.unary(PATH, Buffer.alloc(0), options, {
          onAnswer: () => resolve([0, '']),
          onStatus: (code, text) => resolve([code, text]),
        });
      });
      expect([status, details]).toEqual([5, String(n)]);
    }
    expect(heard).toEqual(lists.map(({ asked }) => asked));
  });
});
