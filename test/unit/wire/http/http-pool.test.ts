import { createServer, type Server, type Socket } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpPool } from '../../../../src/wire/http/http-pool.ts';
import { type HttpAnswer, HttpEnd, type HttpQuestion, type HttpSink } from '../../../../src/wire/http/http-sink.ts';
import { FaultProxy } from '../../../support/fault-proxy.ts';
import {
  answer,
  answerNever,
  cut,
  type HttpScript,
  type SeenRequest,
  startScriptedHttpServer,
} from '../../../support/scripted-http-server.ts';

/** What one exchange came to. */
class Heard implements HttpSink {
  answer: { status: number; type: string; body: Buffer } | null = null;
  end: HttpEnd | null = null;
  sent: boolean | null = null;
  detail = '';
  times = 0;
  readonly done: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onAnswer(heard: HttpAnswer): void {
    this.answer = { status: heard.status, type: heard.field('content-type'), body: heard.body };
    this.times++;
    this.#resolve();
  }

  onEnd(end: HttpEnd, detail: string, sent: boolean): void {
    this.end = end;
    this.detail = detail;
    this.sent = sent;
    this.times++;
    this.#resolve();
  }
}

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

function poolOf(origin: string, maxConnections = 4, progressTimeoutMs = 30_000): HttpPool {
  const timeouts = { connectTimeoutMs: 1_000, firstByteTimeoutMs: 0, progressTimeoutMs };
  const pool = new HttpPool({ origin, ip: '', tls: null, ...timeouts, maxConnections });
  opened.push(pool);
  return pool;
}

async function serve(onRequest: (request: SeenRequest) => HttpScript | Promise<HttpScript>) {
  const server = await startScriptedHttpServer({ onRequest });
  opened.push(server);
  return server;
}

const question = (fields: Partial<HttpQuestion> = {}): HttpQuestion => ({
  method: 'POST',
  path: '/',
  headers: ['content-type', 'text/plain'],
  pieces: [Buffer.from('hi')],
  timeoutMs: 10_000,
  maxAnswerBytes: 1_000_000,
  repeatable: false,
  ...fields,
});

async function ask(pool: HttpPool, fields: Partial<HttpQuestion> = {}): Promise<Heard> {
  const heard = new Heard();
  pool.send(question(fields), heard);
  await heard.done;
  return heard;
}

describe('HttpPool', () => {
  it.each([
    ['none', []],
    ['one', [3]],
    ['a few small ones', [3, 0, 5]],
    ['large ones', [100_000, 1, 300_000, 0, 7]],
  ])('sends a body of %s of pieces whole and with its length', async (_what, sizes) => {
    const server = await serve((request) => answer(200, request.body));
    const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    const heard = await ask(poolOf(server.url), { pieces });
    const whole = Buffer.concat(pieces);
    expect(heard.answer!.body.equals(whole)).toBe(true);
    expect(server.requests[0]!.headers['content-length']).toBe(String(whole.length));
  });

  it('uses a connection again, and never more than it may', async () => {
    const server = await serve((request) => answer(200, request.body));
    const pool = poolOf(server.url, 3);
    const all = Array.from({ length: 60 }, (_, i) => ask(pool, { pieces: [Buffer.from(`n${i}`)] }));
    const bodies = (await Promise.all(all)).map((heard) => heard.answer!.body.toString());
    expect(bodies).toEqual(all.map((_, i) => `n${i}`));
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  it('gives a place back however an exchange ends', async () => {
    const server = await serve((request) => {
      const kind = request.body.toString();
      if (kind === 'hang') return answerNever;
      return kind === 'large' ? answer(200, Buffer.alloc(5_000)) : answer(200, 'fine');
    });
    const pool = poolOf(server.url, 1);
    for (let round = 0; round < 5; round++) {
      const cancelled = new Heard();
      const call = pool.send(question({ pieces: [Buffer.from('hang')] }), cancelled);
      await server.called(1);
      call.cancel();
      call.cancel();
      await cancelled.done;
      expect(cancelled.end).toBe(HttpEnd.Cancelled);
      expect((await ask(pool, { pieces: [Buffer.from('hang')], timeoutMs: 20 })).end).toBe(HttpEnd.TimedOut);
      expect((await ask(pool, { pieces: [Buffer.from('large')], maxAnswerBytes: 100 })).end).toBe(HttpEnd.Oversized);
      expect((await ask(pool)).answer!.body.toString()).toBe('fine');
    }
  });

  it('gives up an answer that stops on its way, and waits for one that goes on however slowly', async () => {
    const server = await serve(() => answer(200, 'x'.repeat(100)));
    const proxy = await FaultProxy.start(server.url);
    opened.push(proxy);
    const pool = poolOf(`http://${proxy.address}`, 4, 250);
    proxy.set('answer', { is: 'trickle', bytes: 10, everyMs: 20 });
    expect((await ask(pool)).answer!.body.length).toBe(100);
    proxy.set('answer', { is: 'hang', at: proxy.bytes('answer') - 50 });
    const stopped = await ask(pool);
    expect([stopped.end, stopped.detail]).toEqual([HttpEnd.TimedOut, 'The answer stopped on its way for 250 ms.']);
    await proxy.heal();
    expect((await ask(pool)).answer!.body.length).toBe(100);
  });

  it('says an end once, and not from inside send or cancel', async () => {
    const server = await serve(() => answerNever);
    const pool = poolOf(server.url, 1);
    const heard = [new Heard(), new Heard()];
    const calls = heard.map((sink) => pool.send(question(), sink));
    for (const call of calls) call.cancel();
    expect(heard.map((sink) => sink.times)).toEqual([0, 0]);
    await Promise.all(heard.map((sink) => sink.done));
    await pool.close();
    expect(heard.map((sink) => sink.times)).toEqual([1, 1]);
    expect(heard.map((sink) => sink.sent)).toEqual([false, false]);
    const late = new Heard();
    pool.send(question(), late);
    expect(late.times).toBe(0);
    await late.done;
    expect(late).toMatchObject({ end: HttpEnd.Unreachable, sent: false, times: 1 });
  });

  it('does not cost the neighbours a connection when a call leaves before it was sent', async () => {
    const server = await serve((request) => answer(200, request.body));
    const pool = poolOf(server.url, 2);
    const first = new Heard();
    // The connection is not there yet: the package holds the call and cannot be asked to drop it.
    pool.send(question(), first).cancel();
    const second = ask(pool);
    await first.done;
    expect((await second).answer!.body.toString()).toBe('hi');
    expect((await ask(pool)).answer!.body.toString()).toBe('hi');
    expect(server.requests.length).toBe(2);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('ends every exchange when it is closed, also those that wait', async () => {
    const server = await serve(() => answerNever);
    const pool = poolOf(server.url, 1);
    const heard = Array.from({ length: 5 }, () => new Heard());
    for (const sink of heard) pool.send(question(), sink);
    await server.called(1);
    await pool.close();
    await Promise.all(heard.map((sink) => sink.done));
    expect(heard.map((sink) => sink.end)).toEqual([HttpEnd.Lost, ...new Array(4).fill(HttpEnd.Unreachable)]);
    expect(server.requests.length).toBe(1);
  });

  it.each([
    ['two lengths as garbage', 'content-length: 3\r\ncontent-length: 5\r\n\r\n12345', HttpEnd.Garbled],
    ['fewer bytes than said as a connection that was lost', 'content-length: 50\r\n\r\n12345', HttpEnd.Lost],
  ])('takes %s', async (_what, rest, end) => {
    const server = await serve(() => cut(`HTTP/1.1 200 OK\r\n${rest}`));
    expect((await ask(poolOf(server.url))).end).toBe(end);
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['identity', (text: string) => Buffer.from(text)],
  ])('unpacks %s', async (coding, pack) => {
    const server = await serve(() => answer(200, pack('text'.repeat(1_000)), { 'content-encoding': coding }));
    expect((await ask(poolOf(server.url))).answer!.body.toString()).toBe('text'.repeat(1_000));
  });

  it('keeps an answer that is cancelled while it is unpacked to itself', async () => {
    const server = await serve(() => answer(200, gzipSync(Buffer.alloc(900_000)), { 'content-encoding': 'gzip' }));
    const heard = new Heard();
    const call = poolOf(server.url).send(question(), heard);
    await server.called(1);
    const timer = setInterval(() => call.cancel(), 0);
    await heard.done;
    clearInterval(timer);
    await new Promise((done) => setTimeout(done, 30));
    expect(heard.times).toBe(1);
  });
});

/** A server that writes one answer in the pieces that the request's path asks for: `/3,10,11` splits it at these bytes. */
function splitting(text: Buffer): Promise<Server> {
  const server = createServer((socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => void writeSplit(socket, text, /^POST \/([\d,]*)/.exec(data.toString('latin1'))![1]!));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function writeSplit(socket: Socket, text: Buffer, places: string): Promise<void> {
  let from = 0;
  for (const place of [
    ...places
      .split(',')
      .filter((one) => one !== '')
      .map(Number),
    text.length,
  ]) {
    socket.write(text.subarray(from, place));
    from = place;
    await new Promise((done) => setImmediate(done));
  }
}

describe('HttpPool, answers in pieces', () => {
  const body = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
  const texts = {
    'with a length': Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 300\r\n\r\n`), body]),
    'in chunks': Buffer.concat([
      Buffer.from('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n'),
      body.subarray(0, 100),
      Buffer.from('\r\nc8\r\n'),
      body.subarray(100),
      Buffer.from('\r\n0\r\n\r\n'),
    ]),
  };

  it.each(Object.entries(texts))('are the same wherever an answer %s is split', async (_how, text) => {
    const server = await splitting(text);
    const pool = poolOf(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const places = fc.uniqueArray(fc.nat(text.length), { maxLength: 6 }).map((drawn) => drawn.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(places, async (drawn) => {
        const { answer: heard } = await ask(pool, { path: `/${drawn.join(',')}` });
        expect(heard!.status).toBe(200);
        expect(heard!.type).toBe('a/b');
        expect(heard!.body.equals(body)).toBe(true);
      }),
      { seed: 7, numRuns: 60 },
    );
    await pool.close();
    await new Promise((done) => server.close(done));
  });
});
