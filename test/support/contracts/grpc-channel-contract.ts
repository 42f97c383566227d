import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { http2Backend } from '../../../src/config/http2-schema.ts';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import type { GrpcChannel, GrpcChannelOptions, GrpcChannelTls, Question } from '../../../src/wire/grpc/grpc-channel.ts';
import { NO_RETRY } from '../../../src/wire/grpc/pushback.ts';
import { answer, type BareOptions, type BareServer, GRPC_HEAD, type OnCall, startBareServer } from '../bare-http2-server.ts';
import { Ending } from '../call-endings.ts';
import { type OipServer, startOipServer } from '../oip-server.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../test-certificate.ts';

/** What every GrpcChannel promises of calls with one answer, against a server on the package and one that does as a test likes. */

const LIVE = '/inference.GRPCInferenceService/ServerLive';
const PATH = '/a.Service/Method';
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_048_576;
const HTTP2 = http2Backend.parse({});

const closers: (() => unknown)[] = [];

type Make = (options: GrpcChannelOptions) => GrpcChannel;

export function grpcChannelContract(name: string, make: Make): void {
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const open = opening(make);
  describe(`${name} as a GrpcChannel`, () => {
    promisesOfCalls(open);
    promisesOfBytes(open);
    promisesOfOddAnswers(open);
    promisesOfConnections(open);
  });
  describe(`${name} as a GrpcChannel over TLS`, () => promisesOfTls(open));
}

interface OpenOptions {
  readonly tls?: GrpcChannelTls | null;
  readonly ip?: string;
  readonly connectTimeoutMs?: number;
}

type Open = (address: string, options?: OpenOptions) => GrpcChannel;

function opening(make: Make): Open {
  return (address, { tls = null, ip = '', connectTimeoutMs = 2_000 } = {}) => {
    const channel = make({ address, ip, tls, maxMessageBytes: MAX_BYTES, connectTimeoutMs, http2: HTTP2 });
    closers.push(() => channel.close());
    return channel;
  };
}

async function serve(secure = false): Promise<OipServer> {
  const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };
  const server = await startOipServer(secure ? { models: [], tls } : { models: [] });
  closers.push(() => server.close());
  return server;
}

async function bare(onCall: OnCall, options: BareOptions = {}): Promise<BareServer> {
  const server = await startBareServer(onCall, options);
  closers.push(() => server.close());
  return server;
}

const echo: OnCall = (stream, _headers, question) => answer(stream, [question.subarray(5)]);
const silence: OnCall = () => undefined;

interface AskOptions {
  readonly path?: string;
  readonly question?: Question;
  readonly headers?: readonly string[];
  readonly timeoutMs?: number;
}

function ask(channel: GrpcChannel, options: AskOptions = {}): Promise<Ending> {
  const { path = PATH, question = Buffer.alloc(0), headers = [], timeoutMs = TIMEOUT_MS } = options;
  const ending = new Ending();
  channel.unary(path, question, { headers, timeoutMs }, ending);
  expect(ending.ends, 'nothing is said from inside').toBe(0);
  return ending.ended;
}

function promisesOfCalls(open: Open): void {
  it('answers with the message as it came', async () => {
    const { address } = await serve();
    expect((await ask(open(address), { path: LIVE })).message).toEqual(Buffer.from('0801', 'hex'));
  });

  it('tells a status from a message', async () => {
    const { address } = await serve();
    const { message, status, details, sent } = await ask(open(address), { path: '/no.such/Method' });
    expect([message, status, sent]).toEqual([null, GrpcStatus.Unimplemented, true]);
    expect(details).toContain('/no.such/Method');
  });

  it('ends a call on a closed channel as unavailable and unsent', async () => {
    const { address } = await serve();
    const channel = open(address);
    channel.close();
    channel.close();
    const { status, sent } = await ask(channel);
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    expect(await channel.ready(5_000)).toBe(false);
  });

  it('hears of a cancelled call once, however often it is cancelled', async () => {
    const { address } = await serve();
    const ending = new Ending();
    const channel = open(address);
    const call = channel.unary(LIVE, Buffer.alloc(0), { headers: [], timeoutMs: TIMEOUT_MS }, ending);
    call.cancel();
    call.cancel();
    expect(ending.ends, 'nothing is said from inside').toBe(0);
    await ending.ended;
    call.cancel();
    await ask(channel, { path: LIVE });
    expect([ending.ends, ending.status]).toEqual([1, GrpcStatus.Cancelled]);
  });

  it('tells the server that a call is cancelled', async () => {
    const closed = Promise.withResolvers<number>();
    const begun = Promise.withResolvers<void>();
    const server = await bare(silence, {
      onHeaders: (stream) => {
        stream.on('close', () => closed.resolve(stream.rstCode ?? 0));
        begun.resolve();
      },
    });
    const ending = new Ending();
    const call = open(server.address).unary(PATH, Buffer.alloc(0), { headers: [], timeoutMs: TIMEOUT_MS }, ending);
    await begun.promise;
    call.cancel();
    expect(await closed.promise).toBe(8);
    expect([(await ending.ended).status, ending.sent]).toEqual([GrpcStatus.Cancelled, true]);
  });

  it('ends at its deadline, and has told the server of it', async () => {
    let granted: unknown;
    const server = await bare((_stream, headers) => {
      granted = headers['grpc-timeout'];
    });
    const channel = open(server.address);
    await channel.ready(5_000);
    const { status, sent } = await ask(channel, { timeoutMs: 150 });
    expect([status, sent]).toEqual([GrpcStatus.DeadlineExceeded, true]);
    expect(granted).toMatch(/^1[0-5]\d(\.\d+)?m$|^1[0-5]\d{4}u$/);
  });

  it.each([2 ** 31, 2 ** 32 + 1, 10 ** 12])('takes no deadline that is %i ms away for one that is over', async (timeoutMs) => {
    let granted: unknown;
    const server = await bare((stream, headers, question) => {
      granted = headers['grpc-timeout'];
      setTimeout(() => answer(stream, [question.subarray(5)]), 20);
    });
    const channel = open(server.address);
    expect((await ask(channel, { question: Buffer.from('x'), timeoutMs })).message?.toString()).toBe('x');
    // At most eight digits, and no less than was meant by more than a minute; null is none.
    if (granted === undefined) return;
    const [, digits, unit] = /^(\d{1,8})([SMH])$/.exec(String(granted))!;
    expect(Number(digits) * { S: 1_000, M: 60_000, H: 3_600_000 }[unit as 'S']).toBeGreaterThan(
      Math.min(timeoutMs, 99_999_999_000) - 60_000,
    );
  });

  it('carries what metadata may carry, and nothing else', async () => {
    let heard: Record<string, unknown> = {};
    const server = await bare((stream, headers) => {
      heard = { ...headers };
      answer(stream, [Buffer.alloc(0)]);
    });
    const headers = [
      'X-Request-Id',
      'r 1',
      'authorization',
      'Bearer k',
      'te',
      'gzip',
      'grpc-x',
      '1',
      'a-bin',
      'AA',
      'bad name',
      '1',
    ];
    headers.push('x-line', 'a\nb', '__proto__', 'p', 'x-wide', 'é', 'x-empty', '');
    await ask(open(server.address), { headers });
    expect(heard).toMatchObject({ 'x-request-id': 'r 1', authorization: 'Bearer k', te: 'trailers', 'x-empty': '' });
    expect(heard).toMatchObject({ ':method': 'POST', ':path': PATH, ':scheme': 'http', 'content-type': 'application/grpc' });
    expect(heard[':authority']).toBe(server.address);
    for (const name of ['grpc-x', 'a-bin', 'bad name', 'x-line', 'x-wide', 'host']) expect(heard).not.toHaveProperty(name);
  });
}

function promisesOfBytes(open: Open): void {
  it('carries messages of any size, whole or in pieces, both ways', async () => {
    const { address } = await bare(echo);
    const channel = open(address);
    for (const bytes of [0, 1, 4_091, 16_379, 16_380, 65_531, 1_000_000]) {
      const question = Buffer.alloc(bytes, `${bytes}.`);
      expect((await ask(channel, { question })).message?.equals(question), `${bytes}`).toBe(true);
      const pieces = [question.subarray(0, 1), question.subarray(1, 7_000), question.subarray(7_000)];
      expect((await ask(channel, { question: pieces })).message?.equals(question), `${bytes} in pieces`).toBe(true);
    }
  });

  it('gives each of many calls its own answer', async () => {
    const { address } = await bare(echo);
    const channel = open(address);
    const questions = Array.from({ length: 200 }, (_, i) => Buffer.alloc(1 + ((i * 7_919) % 20_000), `call ${i};`));
    const answers = await Promise.all(questions.map((question) => ask(channel, { question })));
    for (const [i, ending] of answers.entries()) expect(ending.message?.equals(questions[i]!), ending.details).toBe(true);
  });

  it('sends a large question through a small window', async () => {
    const { address } = await bare(echo, { settings: { initialWindowSize: 100 } });
    const question = Buffer.alloc(300_000, 'abc');
    const channel = open(address);
    const endings = await Promise.all([ask(channel, { question }), ask(channel, { question })]);
    for (const ending of endings) expect(ending.message?.equals(question), ending.details).toBe(true);
  });

  it('takes an answer that comes byte by byte', async () => {
    const { address } = await bare((stream) => {
      stream.respond(GRPC_HEAD, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      const bytes = Buffer.from('0000000003616263', 'hex');
      const next = (at: number): void => {
        if (at === bytes.length) stream.end();
        else stream.write(bytes.subarray(at, at + 1), () => next(at + 1));
      };
      next(0);
    });
    expect((await ask(open(address))).message?.toString()).toBe('abc');
  });

  it('refuses an answer that is larger than allowed, and says so as it always has', async () => {
    const { address } = await bare((stream) => answer(stream, [Buffer.alloc(MAX_BYTES + 1)]));
    const { status, details } = await ask(open(address));
    expect(status).toBe(GrpcStatus.ResourceExhausted);
    expect(details).toContain('Received message larger than max');
    expect(details.endsWith(` vs ${MAX_BYTES})`) || details.endsWith(` larger than ${MAX_BYTES}`)).toBe(true);
  });

  it('takes one of just the size allowed', async () => {
    const { address } = await bare((stream) => answer(stream, [Buffer.alloc(MAX_BYTES, 3)]));
    expect((await ask(open(address))).message?.length).toBe(MAX_BYTES);
  });
}

function promisesOfOddAnswers(open: Open): void {
  const trailers = async (fields: Record<string, string>): Promise<Ending> => {
    const { address } = await bare((stream) => answer(stream, [], fields));
    return ask(open(address));
  };

  it('reads a status that comes with the header fields', async () => {
    const { address } = await bare((stream) =>
      stream.respond({ ...GRPC_HEAD, 'grpc-status': '5', 'grpc-message': 'no such model' }, { endStream: true }),
    );
    const { status, details, sent } = await ask(open(address));
    expect([status, details, sent]).toEqual([GrpcStatus.NotFound, 'no such model', true]);
  });

  it('decodes what the server says', async () => {
    expect((await trailers({ 'grpc-status': '3', 'grpc-message': 'caf%C3%A9 100%25' })).details).toBe('café 100%');
  });

  it.each([
    [{ 'grpc-retry-pushback-ms': '250' }, 250],
    [{ 'grpc-retry-pushback-ms': '-1' }, NO_RETRY],
    [{ 'retry-after': '2' }, 2_000],
    [{}, 0],
  ])('knows of %j when to try again', async (fields, pushbackMs) => {
    const ending = await trailers({ 'grpc-status': '8', ...fields });
    expect([ending.status, ending.pushbackMs]).toEqual([GrpcStatus.ResourceExhausted, pushbackMs]);
  });

  it.each([
    ['no message', 0],
    ['two messages', 2],
  ])('refuses %s where one is due', async (_what, count) => {
    const { address } = await bare((stream) => answer(stream, Array(count).fill(Buffer.from('x'))));
    const { status, message } = await ask(open(address), { timeoutMs: 1_000 });
    // The package sees the second message, and then waits until the deadline for an end that it does not read.
    expect([GrpcStatus.Unimplemented, GrpcStatus.DeadlineExceeded]).toContain(status);
    expect(message).toBeNull();
  });

  it('takes a message that came with another status than OK for nothing', async () => {
    const { address } = await bare((stream) => answer(stream, [Buffer.from('x')], { 'grpc-status': '9' }));
    const { status, message } = await ask(open(address));
    expect([status, message]).toEqual([GrpcStatus.FailedPrecondition, null]);
  });

  it.each([
    [401, GrpcStatus.Unauthenticated],
    [403, GrpcStatus.PermissionDenied],
    [404, GrpcStatus.Unimplemented],
    [429, GrpcStatus.Unavailable],
    [503, GrpcStatus.Unavailable],
    [500, GrpcStatus.Unknown],
  ])('takes HTTP status %i for a status of gRPC', async (httpStatus, expected) => {
    const { address } = await bare((stream) => stream.respond({ ':status': httpStatus }, { endStream: true }));
    expect((await ask(open(address))).status).toBe(expected);
  });

  it.each([
    ['INTERNAL_ERROR', 2, GrpcStatus.Internal],
    ['CANCEL', 8, GrpcStatus.Cancelled],
    ['ENHANCE_YOUR_CALM', 11, GrpcStatus.ResourceExhausted],
    ['REFUSED_STREAM', 7, GrpcStatus.Unavailable],
  ])('takes a reset with %s for a status of gRPC', async (_name, code, expected) => {
    const { address } = await bare((stream) => stream.close(code));
    expect((await ask(open(address))).status).toBe(expected);
  });

  it('does not take an answer without a status for one', async () => {
    const { address } = await bare((stream) => {
      stream.respond(GRPC_HEAD);
      stream.end(Buffer.from('000000000161', 'hex'));
    });
    const { status, message } = await ask(open(address));
    expect([GrpcStatus.Internal, GrpcStatus.Unknown]).toContain(status);
    expect(message).toBeNull();
  });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function promisesOfConnections(open: Open): void {
  it('says when it is ready, and when it is not in time', async () => {
    const server = await serve();
    const channel = open(server.address);
    expect(await channel.ready(5_000)).toBe(true);
    await server.close();
    const lost = open(server.address);
    expect(await lost.ready(50)).toBe(false);
  });

  it('ends a call at once where nothing listens, and says that it was not sent', async () => {
    const server = await serve();
    await server.close();
    const { status, sent, details } = await ask(open(server.address));
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    expect(details).toContain('ECONNREFUSED');
  });

  it('does not wait for ever for a server that takes connections and says nothing', async () => {
    const silent = createServer((socket) => {
      socket.on('error', () => undefined);
      closers.push(() => socket.destroy());
    });
    const address = await listening(silent);
    const { status, sent, details } = await ask(open(address, { connectTimeoutMs: 200 }));
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    expect(details).toContain('No connection within 200 ms.');
  });

  it.each([
    ['HTTP/1', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['nonsense', '\0\0\0\x7f garbage that is no frame of any kind'],
  ])('does not send a call to a server that speaks %s', async (_what, text) => {
    const other = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end(text);
    });
    const { status, sent } = await ask(open(await listening(other)));
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
  });

  it('does not get far with a web server', async () => {
    const web = createHttpServer((_request, response) => response.end('hello'));
    const { status, sent } = await ask(open(await listening(web)));
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
  });

  it('tells of a connection that is lost under a call, and comes up again by itself', async () => {
    let lose = true;
    const server = await bare((stream, _headers, question) => {
      if (lose) stream.session!.socket.destroy();
      else answer(stream, [question.subarray(5)]);
    });
    const channel = open(server.address);
    expect(await channel.ready(5_000)).toBe(true);
    const { status, sent } = await ask(channel);
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, true]);
    lose = false;
    expect(await channel.ready(5_000)).toBe(true);
    expect((await ask(channel, { question: Buffer.from('again') })).message?.toString()).toBe('again');
    expect(server.sessionCount).toBe(2);
  });

  it('goes to another connection after GOAWAY, while calls on the first go on', async () => {
    const leaving = Promise.withResolvers<() => void>();
    const server = await bare((stream, _headers, question) => {
      if (question.toString().endsWith('first')) {
        stream.session!.goaway(0, stream.id!);
        leaving.resolve(() => answer(stream, [Buffer.from('late')]));
      } else answer(stream, [Buffer.from('second')]);
    });
    const channel = open(server.address);
    const first = ask(channel, { question: Buffer.from('first') });
    const finish = await leaving.promise;
    // The channel has to have heard of it.
    await new Promise((resolve) => server.sessions[0]!.ping(resolve));
    expect((await ask(channel, { question: Buffer.from('next') })).message?.toString()).toBe('second');
    finish();
    expect((await first).message?.toString()).toBe('late');
    expect(server.sessionCount).toBe(2);
  });

  it('keeps to the number of calls that the server takes at the same time', async () => {
    let busy = 0;
    let most = 0;
    const server = await bare(
      (stream, _headers, question) => {
        most = Math.max(most, ++busy);
        setTimeout(() => {
          busy--;
          answer(stream, [question.subarray(5)]);
        }, 5);
      },
      { settings: { maxConcurrentStreams: 3 } },
    );
    const channel = open(server.address);
    await channel.ready(5_000);
    const endings = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(channel, { question: Buffer.from(`${i}`) })));
    expect(endings.map((ending) => ending.message?.toString())).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    expect(most).toBeLessThanOrEqual(3 * server.sessionCount);
  });

  it('lets calls in flight end when it is closed, and then its connection', async () => {
    const begun = Promise.withResolvers<() => void>();
    const server = await bare((stream) => begun.resolve(() => answer(stream, [Buffer.from('x')])));
    const channel = open(server.address);
    const call = ask(channel);
    const finish = await begun.promise;
    channel.close();
    const gone = new Promise((resolve) => server.sessions[0]!.on('close', resolve));
    finish();
    expect((await call).message?.toString()).toBe('x');
    await gone;
  });
}

function promisesOfTls(open: Open): void {
  const trusting = { ca: TEST_CERTIFICATE, cert: null, key: null };
  const secure = (address: string, tls: GrpcChannelTls, ip = ''): Promise<Ending> =>
    ask(open(address, { tls, ip }), { path: LIVE });

  it('takes a server whose certificate has the configured name', async () => {
    const { address } = await serve(true);
    expect((await secure(address, { ...trusting, serverName: 'sluice.test' })).message).not.toBeNull();
  });

  it('connects to an address that its name stands for, and checks the certificate against the name', async () => {
    const { port } = await serve(true);
    const named = { ...trusting, serverName: null };
    expect((await secure(`sluice.test:${port}`, named, '127.0.0.1')).message).not.toBeNull();
    // The certificate has the address too, and that must not do.
    expect((await secure(`other.test:${port}`, named, '127.0.0.1')).status).toBe(GrpcStatus.Unavailable);
  });

  it('takes the host for the name where none is configured', async () => {
    const { port } = await serve(true);
    expect((await secure(`localhost:${port}`, { ...trusting, serverName: null })).message).not.toBeNull();
  });

  it.each([
    ['another name', { ...trusting, serverName: 'other.test' }],
    ['an authority that is not trusted', { ca: null, cert: null, key: null, serverName: 'sluice.test' }],
  ])('does not send a byte to a server with %s', async (_what, tls) => {
    const { address } = await serve(true);
    const { status, sent } = await secure(address, tls);
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
  });

  it('carries large messages both ways, under the name that was configured', async () => {
    let authority: unknown;
    const server = await bare(
      (stream, headers, question) => {
        authority = headers[':authority'];
        answer(stream, [question.subarray(5)]);
      },
      { tls: { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY } },
    );
    const question = Buffer.alloc(900_000, 'tls');
    const channel = open(server.address, { tls: { ...trusting, serverName: 'sluice.test' } });
    expect((await ask(channel, { question: [question.subarray(0, 10), question.subarray(10)] })).message?.equals(question)).toBe(
      true,
    );
    expect(authority).toBe('sluice.test');
  });
}
