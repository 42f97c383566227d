import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpListenConfig, httpListen } from '../../../src/config/listen-schema.ts';
import type { Front, Listener, PartExit } from '../../../src/core/exchange.ts';
import { type OpenDoor, openDoor } from '../open-door.ts';
import { type RawAnswer, RawConnection } from '../raw-http.ts';
import { answer, RecordingFront } from '../recording-front.ts';
import { MALFORMED, STREAMS } from './malformed-http.ts';

/** What a driver is made with. */
export interface HttpDriverOptions {
  readonly onRejected: (code: string, reason: string) => void;
}
export type MakeHttpListener = (config: HttpListenConfig, options: HttpDriverOptions, front: Front) => Listener<Socket>;

const GET = 'GET /v2/models/m?verbose=1 HTTP/1.1\r\nHost: gate\r\n';
/** `lengthBytes` is what the head says, which may be more than what is sent. */
const post = (body: string, fields = '', lengthBytes = body.length): string =>
  `POST /v2/models/m/infer HTTP/1.1\r\nHost: gate\r\nContent-Length: ${lengthBytes}\r\n${fields}\r\n${body}`;

/** What every HTTP driver must do, whatever it is made of. */
export function httpListenerContract(name: string, make: MakeHttpListener): void {
  describe(name, () => {
    let front: RecordingFront;
    let rejected: string[];
    let listener: Listener<Socket>;
    let door: OpenDoor;
    let port = 0;
    let clients: RawConnection[];

    beforeEach(() => {
      front = new RecordingFront();
      rejected = [];
      clients = [];
    });
    afterEach(async () => {
      for (const client of clients) client.destroy();
      await door.drain(0);
      expect(front.violations).toEqual([]);
    });

    async function start(settings: Partial<HttpListenConfig> = {}, writeStallMs = 5_000): Promise<void> {
      const config = { ...httpListen.parse({}), writeStallMs, ...settings };
      listener = make(config, { onRejected: (code) => rejected.push(code) }, front);
      door = await openDoor(listener);
      port = door.port;
    }
    async function open(): Promise<RawConnection> {
      const client = await RawConnection.open(port);
      clients.push(client);
      return client;
    }
    async function ask(bytes: string): Promise<RawAnswer> {
      const client = await open();
      return (await client.send(bytes).untilAnswers(1))[0]!;
    }

    describe('a request', () => {
      it('shows its head as it came, with the query cut off', async () => {
        await start();
        await ask(`${GET}X-Mixed-Case: Value\r\nX-Twice: a\r\nx-twice: b\r\n\r\n`);
        const { head } = front.only;
        expect(head).toMatchObject({ face: 'http', method: 'GET', path: '/v2/models/m', query: 'verbose=1', contentLength: 0 });
        expect(head.timeoutMs).toBe(0);
        expect(head.remoteAddress).toContain('127.0.0.1');
        expect(head.header('x-mixed-case')).toBe('Value');
        expect(head.header('x-twice')).toBe('a, b');
        expect(head.header('x-absent')).toBe('');
        expect(head.header('constructor')).toBe('');
      });

      it('without a body is complete at once', async () => {
        await start();
        await ask(`${GET}\r\n`);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
        expect(front.only.pieces).toEqual([]);
      });

      it('hands over its body whole and in order, however it was cut', async () => {
        await start();
        const body = Array.from({ length: 40_000 }, (_, i) => String(i)).join(' ');
        const client = await open();
        const bytes = post(body);
        for (let at = 0; at < bytes.length; at += 50_021) client.send(bytes.slice(at, at + 50_021));
        await client.untilAnswers(1);
        expect(front.only.head.contentLength).toBe(body.length);
        expect(front.only.body).toBe(body);
        expect(front.only.pieces.length).toBeGreaterThan(1);
      });

      it('is shown before a byte of its body has come', async () => {
        await start();
        const client = await open();
        client.send(post('', '', 4));
        await front.heard('open');
        expect(front.only.events).toEqual(['open']);
        client.send('body');
        await client.untilAnswers(1);
        expect(front.only.body).toBe('body');
      });

      it('may be pipelined, and gets its answers in order even when they are found in another', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(post('one') + post('two') + post('three'));
        await front.heard('complete', 3);
        for (const visit of [...front.visits].reverse()) visit.exit.send(answer(200, visit.body));
        expect((await client.untilAnswers(3)).map((found) => found.body)).toEqual(['one', 'two', 'three']);
      });

      it('is refused when too many wait on one connection, and nothing behind it is heard', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(`${GET}\r\n`.repeat(20));
        await front.heard('complete', 16);
        for (const visit of front.visits) visit.exit.send(answer(200, 'ok'));
        const answers = await client.untilEnd();
        expect(answers.map((found) => found.status)).toEqual([...Array<number>(16).fill(200), 503]);
        expect(front.visits.length).toBe(16);
      });

      it('may be of HTTP/1.0, whose connection closes after the answer', async () => {
        await start();
        const client = await open();
        const [found] = await client.send('GET /v2 HTTP/1.0\r\nHost: gate\r\n\r\n').untilEnd();
        expect(found!.status).toBe(200);
        expect(found!.headers.get('connection')).toBe('close');
      });

      it('that offers an upgrade is answered as if it had not', async () => {
        await start();
        const found = await ask(
          post('body', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
        );
        expect(found).toMatchObject({ status: 200, body: 'body' });
      });
    });

    describe('an answer', () => {
      it('carries status, type, length, fields and every piece, and does not name the server', async () => {
        await start();
        front.onComplete = ({ exit }) => {
          const reply = answer(418, 'a', '', 'bc', 'def');
          reply.headers.push('x-one', '1', 'x-two', '2');
          exit.send(reply);
        };
        const found = await ask(`${GET}\r\n`);
        expect(found).toMatchObject({ status: 418, body: 'abcdef' });
        expect(Object.fromEntries(found.headers)).toMatchObject({
          'content-type': 'text/plain',
          'content-length': '6',
          'x-one': '1',
          'x-two': '2',
        });
        expect([...found.headers.keys()]).not.toEqual(expect.arrayContaining(['server']));
        expect(found.headers.has('x-powered-by')).toBe(false);
        expect(found.headers.has('transfer-encoding')).toBe(false);
      });

      it('keeps the connection for the next request', async () => {
        await start();
        const client = await open();
        await client.send(post('one')).untilAnswers(1);
        expect((await client.send(post('two')).untilAnswers(2))[1]!.body).toBe('two');
        await front.heard('closed', 2);
      });

      it('has no body for HEAD', async () => {
        await start();
        front.onComplete = ({ exit }) => exit.send(answer(405, 'no'));
        const client = await open();
        client.send('HEAD /v2 HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n');
        await client.untilEnd();
        expect(client.bytes.toString()).toMatch(/^HTTP\/1\.1 405 .*\r\n\r\n$/s);
      });

      it('without content has neither type nor length', async () => {
        await start();
        front.onComplete = ({ exit }) => exit.send(answer(204));
        const found = await ask(`${GET}\r\n`);
        expect(found.status).toBe(204);
        expect(found.headers.has('content-length')).toBe(false);
      });

      it.each([
        ['a line break in a field', 'x-a', 'b\r\nset-cookie: evil'],
        ['a NUL in a field', 'x-a', 'b\0c'],
        ['a space in a field name', 'x a', 'b'],
      ])('with %s is replaced by a plain 500', async (_what, field, value) => {
        await start();
        front.onComplete = ({ exit }) => {
          const reply = answer(200, 'fine');
          reply.headers.push(field, value);
          exit.send(reply);
        };
        const client = await open();
        const [found] = await client.send(`${GET}\r\n`).untilEnd();
        expect(found!.status).toBe(500);
        expect(JSON.parse(found!.body)).toMatchObject({ code: 'BUG' });
        expect(client.bytes.toString()).not.toContain('evil');
        expect(rejected).toEqual(['BUG']);
      });

      it('counts once: a second one is ignored', async () => {
        await start();
        front.onComplete = ({ exit }) => {
          exit.send(answer(200, 'first'));
          exit.send(answer(500, 'second'));
        };
        const client = await open();
        await client.send(`${GET}Connection: close\r\n\r\n`).untilEnd();
        expect(client.answers.map((found) => found.body)).toEqual(['first']);
      });

      it('may be given from inside open, and the exchange still closes after it', async () => {
        await start();
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(answer(401, 'no'));
        expect((await ask(`${GET}\r\n`)).status).toBe(401);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'closed']);
      });

      it('that its client does not read is given up after the stall time', async () => {
        await start({}, 150);
        const piece = Buffer.alloc(1024 * 1024);
        front.onComplete = ({ exit }) => exit.send(answer(200, ...Array<Buffer>(64).fill(piece)));
        const client = await open();
        client.socket.pause();
        client.send(`${GET}\r\n`);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
      });

      it('that its client reads slowly is carried to its end', async () => {
        await start({}, 400);
        const piece = Buffer.alloc(1024 * 1024);
        front.onComplete = ({ exit }) => exit.send(answer(200, ...Array<Buffer>(8).fill(piece)));
        const client = await open();
        client.send(`${GET}\r\n`);
        await client.untilAnswers(1);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });
    });

    describe('an answer in parts', () => {
      /** Tells `count` parts one after the other, then the end. */
      function tell(exit: PartExit, count: number, piece: string | Buffer, taken: () => void): void {
        if (count === 0) exit.end(answer(200, 'end'));
        else
          exit.part(answer(200, piece), () => {
            taken();
            tell(exit, count - 1, piece, taken);
          });
      }

      it('goes out part by part behind one head, and the connection lives on', async () => {
        await start();
        let taken = 0;
        front.onComplete = ({ exit }) => tell(exit as PartExit, 3, 'part ', () => taken++);
        const client = await open();
        client.send(`${GET}\r\n`);
        const text = await client.until('end\r\n0\r\n\r\n');
        expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
        expect(text.toLowerCase()).toContain('transfer-encoding: chunked');
        expect(text.split('\r\n').filter((line) => line === 'part ')).toHaveLength(3);
        await front.heard('closed');
        expect([taken, front.only.events]).toEqual([3, ['open', 'complete', 'closed']]);
        front.onComplete = ({ exit }) => exit.send(answer(200, 'whole'));
        client.send(`${GET}\r\n`);
        await client.until('whole');
      });

      it('ends with the connection for a client of HTTP/1.0', async () => {
        await start();
        front.onComplete = ({ exit }) => tell(exit as PartExit, 2, 'part ', () => undefined);
        const client = await open();
        client.send('GET /v2 HTTP/1.0\r\nHost: gate\r\n\r\n');
        await client.untilEnd();
        expect(client.bytes.toString()).toMatch(/\r\n\r\npart part end$/);
      });

      it('waits for its client to read, and is given up after the stall time', async () => {
        await start({}, 300);
        let taken = 0;
        front.onComplete = ({ exit }) => tell(exit as PartExit, 1_000, Buffer.alloc(1024 * 1024), () => taken++);
        const client = await open();
        client.socket.pause();
        client.send(`${GET}\r\n`);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
        // What the kernel buffers for one connection, in MiB.
        expect(taken).toBeLessThan(64);
      });

      it('may be long in coming without being given up', async () => {
        await start({}, 100);
        front.onComplete = ({ exit }) => {
          (exit as PartExit).part(answer(200, Buffer.alloc(4 * 1024 * 1024)), () => {
            setTimeout(() => (exit as PartExit).end(answer(200, 'end')), 400);
          });
        };
        const client = await open();
        client.send(`${GET}\r\n`);
        await client.until('end\r\n0\r\n\r\n');
        expect(front.only.events.slice(0, 2)).toEqual(['open', 'complete']);
      });

      it('may have no part at all', async () => {
        await start();
        front.onComplete = ({ exit }) => (exit as PartExit).end(answer(200));
        const client = await open();
        expect(await client.send(`${GET}\r\n`).until('\r\n\r\n0\r\n\r\n')).toContain('200 OK');
      });
    });

    describe('a refused body', () => {
      beforeEach(() => {
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(answer(401, 'no'));
      });

      it('that is large is not read: the answer comes, then the connection ends', async () => {
        await start();
        const client = await open();
        client.send(post('', '', 67108864));
        expect(await isTakenWhole(client)).toBe(false);
        const [found] = client.answers;
        expect(found!.status).toBe(401);
        expect(found!.headers.get('connection')).toBe('close');
        expect(front.only.events).not.toContain('complete');
      });

      it('that is small is swallowed, and the connection lives on', async () => {
        await start();
        const client = await open();
        await client.send(post('x'.repeat(30_000))).untilAnswers(1);
        await client.send(post('second')).untilAnswers(2);
        expect(front.visits.length).toBe(2);
        await front.heard('closed', 2);
      });

      it('is not asked for with 100 Continue, and the connection ends', async () => {
        await start();
        const client = await open();
        client.send(post('', 'Expect: 100-continue\r\n', 4));
        const answers = await client.untilEnd();
        expect(answers.map((found) => found.status)).toEqual([401]);
      });

      it('cannot carry the next request on a connection that ends', async () => {
        await start();
        const client = await open();
        client.send(post('', 'Expect: 100-continue\r\n', 4) + `${GET}\r\n`.repeat(2));
        await client.untilEnd();
        expect(front.visits.length).toBe(1);
      });
    });

    describe('a body', () => {
      it('is asked for with 100 Continue only once it is wanted', async () => {
        await start();
        const client = await open();
        client.send(post('', 'Expect: 100-continue\r\n', 4));
        await client.until('100 Continue');
        client.send('body');
        expect((await client.untilAnswers(2)).map((found) => found.status)).toEqual([100, 200]);
        expect(front.only.body).toBe('body');
      });

      it('beyond the limit fails from its stated length alone', async () => {
        await start();
        front.bodyLimitBytes = 1_000;
        const found = await ask(post('', '', 1001));
        expect(found).toMatchObject({ status: 413, body: 'BODY_TOO_LARGE' });
        expect(front.only.events).toEqual(expect.arrayContaining(['open', 'fail BODY_TOO_LARGE']));
      });

      it('of exactly the limit is taken', async () => {
        await start();
        front.bodyLimitBytes = 1_000;
        expect((await ask(post('x'.repeat(1_000)))).status).toBe(200);
      });

      it('that comes too slowly fails, and the connection ends', async () => {
        await start({ headersTimeoutMs: 200, bodyTimeoutMs: 200 });
        const client = await open();
        client.send(post('some', '', 100));
        const [found] = await client.untilEnd();
        expect(found).toMatchObject({ status: 408, body: 'BODY_TIMEOUT' });
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'fail BODY_TIMEOUT', 'closed']);
      });

      it.each(['destroy', 'endWriting'] as const)('that its client cuts short by %s never completes', async (way) => {
        await start();
        const client = await open();
        client.send(post('some', '', 100));
        await front.heard('open');
        client[way]();
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'gone', 'closed']);
      });

      it('that is large is read no further once the answer has been given', async () => {
        await start();
        const client = await open();
        client.send(post('some', '', 67108864));
        await front.heard('open');
        front.only.exit.send(answer(504, 'late'));
        expect(await isTakenWhole(client)).toBe(false);
        expect(client.answers[0]!.headers.get('connection')).toBe('close');
      });

      it('is not waited for once the answer has been given', async () => {
        await start();
        const client = await open();
        client.send(post('some', '', 100));
        await front.heard('open');
        front.only.exit.send(answer(504, 'late'));
        expect((await client.untilAnswers(1))[0]!.status).toBe(504);
        client.send('x'.repeat(96) + post('next'));
        await client.untilAnswers(2);
        expect(front.visits.map((visit) => visit.events.includes('complete'))).toEqual([false, true]);
      });
    });

    describe('a client that leaves', () => {
      it('before its answer is noticed at once, and the answer goes nowhere', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(post('body'));
        await front.heard('complete');
        client.destroy();
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
        front.only.exit.send(answer(200, 'too late'));
        front.only.exit.reset();
      });

      it('takes all its pipelined requests along', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(post('one') + post('two'));
        await front.heard('complete', 2);
        client.destroy();
        await front.heard('closed', 2);
        for (const visit of front.visits) expect(visit.events).toEqual(['open', 'complete', 'gone', 'closed']);
      });
    });

    describe('a reset', () => {
      it('cuts the exchange without an answer', async () => {
        await start();
        front.onComplete = ({ exit }) => exit.reset();
        const client = await open();
        expect(await client.send(`${GET}\r\n`).untilEnd()).toEqual([]);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });

      it('from inside open closes the exchange later', async () => {
        await start();
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.reset();
        const client = await open();
        expect(await client.send(post('body')).untilEnd()).toEqual([]);
        await front.heard('closed');
        expect(front.only.events).toEqual(['open', 'closed']);
      });
    });

    describe('a connection', () => {
      it('ends after as many requests as are allowed, and hears no more', async () => {
        await start({ maxRequestsPerConnection: 2 });
        const client = await open();
        const answers = await client.send(post('one') + post('two') + post('three')).untilEnd();
        expect(answers.map((found) => found.body)).toEqual(['one', 'two']);
        expect(answers[1]!.headers.get('connection')).toBe('close');
        expect(front.visits.length).toBe(2);
      });

      it('beyond the limit is refused while the older ones live on', async () => {
        await start({ maxConnections: 2 });
        const [first, second] = [await open(), await open()];
        await first.send(`${GET}\r\n`).untilAnswers(1);
        await second.send(`${GET}\r\n`).untilAnswers(1);
        const third = await open();
        expect(await third.untilEnd()).toEqual([]);
        await first.send(`${GET}\r\n`).untilAnswers(2);
        expect(rejected).toEqual(['OVERLOADED']);
      });

      it('that sends its header fields too slowly gets 408 and ends', async () => {
        await start({ headersTimeoutMs: 150 });
        const client = await open();
        const [found] = await client.send('GET /v2 HTTP/1.1\r\nHost: ga').untilEnd();
        expect(found!.status).toBe(408);
        expect(JSON.parse(found!.body)).toMatchObject({ code: 'BODY_TIMEOUT' });
        expect(front.visits).toEqual([]);
      });

      it('that never says anything ends in silence', async () => {
        await start({ headersTimeoutMs: 150 });
        const client = await open();
        expect(await client.untilEnd()).toEqual([]);
        expect(client.bytes.length).toBe(0);
        expect(rejected).toEqual([]);
      });

      it('that idles between requests ends in silence', async () => {
        await start({ keepAliveTimeoutMs: 100 });
        const client = await open();
        await client.send(`${GET}\r\n`).untilAnswers(1);
        expect((await client.untilEnd()).length).toBe(1);
      });

      it('that its client ends with its request still carries the answer, whatever comes behind', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(`${GET}Connection: close\r\n\r\n`);
        await front.heard('complete');
        client.send('\x01 nonsense\r\n\r\n'.repeat(3));
        const other = await open();
        other.send(`${GET}\r\n`);
        await front.heard('complete', 2);
        front.visits[0]!.exit.send(answer(200, 'late'));
        expect((await client.untilEnd()).map((found) => found.body)).toEqual(['late']);
      });

      it('may wait longer for an answer than for a reader', async () => {
        await start({ headersTimeoutMs: 300 }, 100);
        front.onComplete = (visit) => {
          if (visit === front.visits[0]) visit.exit.send(answer(200, 'first'));
        };
        const client = await open();
        client.send(post('one') + post('two'));
        await client.untilAnswers(1);
        const silent = await open();
        await silent.untilEnd();
        front.visits[1]!.exit.send(answer(200, 'second'));
        expect((await client.untilAnswers(2))[1]!.body).toBe('second');
      });

      it('that stops in the middle of a swallowed body gets no second answer', async () => {
        await start({ headersTimeoutMs: 150, bodyTimeoutMs: 150 });
        front.wantsBody = false;
        front.onOpen = ({ exit }) => exit.send(answer(401, 'no'));
        const client = await open();
        client.send(post('some', '', 100));
        expect((await client.untilEnd()).map((found) => found.status)).toEqual([401]);
      });
    });

    describe('what is not HTTP as it should be', () => {
      it.each(MALFORMED)('$what is refused and never dispatched', async ({ bytes, statuses }) => {
        await start();
        const client = await open();
        const answers = await client.send(bytes).untilEnd();
        expect(answers.length).toBe(1);
        expect(statuses).toContain(answers[0]!.status);
        expect(answers[0]!.headers.get('content-type')).toBe('application/json');
        expect(answers[0]!.headers.get('connection')).toBe('close');
        expect(Object.keys(JSON.parse(answers[0]!.body) as object)).toEqual(['error', 'code']);
        expect(front.visits).toEqual([]);
        expect(rejected).toEqual([(JSON.parse(answers[0]!.body) as { code: string }).code]);
      });

      it('is not listened to while its answer is read', async () => {
        await start();
        const beginnings = ['nonsense\r\n\r\n', `${GET}Host: y\r\nContent-Length: 67108864\r\n\r\n`];
        const taken = await Promise.all(beginnings.map(async (bytes) => isTakenWhole((await open()).send(bytes))));
        expect(taken).toEqual([false, false]);
        expect(clients.map((client) => client.answers[0]!.status)).toEqual([400, 400]);
      });

      it.each(STREAMS)('of $what, exactly the good part is dispatched', async ({ bytes, dispatched }) => {
        await start({ headersTimeoutMs: 150, keepAliveTimeoutMs: 50 });
        const client = await open();
        await client.send(bytes).untilEnd();
        expect(front.visits.map(({ head, body }) => `${head.method} ${head.path} ${body}`)).toEqual(dispatched);
      });
    });

    it('hears the same however the bytes are cut', async () => {
      await start();
      const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
      const bytes = `${post(body)}${GET}\r\n${post('two')}`;
      for (let seed = 1; seed <= 25; seed++) {
        front.visits.length = 0;
        const client = await open();
        for (const piece of cutAtRandom(bytes, seed)) {
          client.send(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        const answers = await client.untilAnswers(3);
        expect(answers.map((found) => found.body)).toEqual([body, '', 'two']);
        expect(front.visits.map((visit) => visit.head.path)).toEqual([
          '/v2/models/m/infer',
          '/v2/models/m',
          '/v2/models/m/infer',
        ]);
        await front.heard('closed', 3);
      }
    });

    it('closes every exchange once, whatever its client and its Front do', async () => {
      await start();
      const random = randomNumbers(42);
      front.onComplete = ({ exit, body }) => {
        const way = random(4);
        if (way === 0) exit.send(answer(200, body));
        else if (way === 1) setImmediate(() => exit.send(answer(200, body)));
        else if (way === 2) setImmediate(() => exit.reset());
      };
      const bytes = `${post('one')}${GET}\r\n${post('two')}`;
      for (let i = 0; i < 150; i++) {
        const client = await open();
        client.send(bytes.slice(0, random(bytes.length)));
        if (random(2) === 0) await new Promise((resolve) => setImmediate(resolve));
        if (random(3) > 0) client.destroy();
      }
      for (const client of clients) client.destroy();
      await door.drain(1_000);
      expect(front.visits.length).toBeGreaterThan(50);
      const left = front.visits.filter((visit) => !visit.events.includes('closed'));
      expect(left.map((visit) => [visit.head.method, ...visit.events, visit.body])).toEqual([]);
    });

    describe('a drain', () => {
      it('ends quiet connections at once where they get no time', async () => {
        await start();
        const [used, fresh] = [await open(), await open()];
        await used.send(`${GET}\r\n`).untilAnswers(1);
        await front.heard('closed');
        await door.drain(5_000);
        await used.untilEnd();
        await fresh.untilEnd();
      });

      it('keeps quiet connections for a while, so that their next answer tells them to go', async () => {
        await start();
        front.onComplete = ({ exit }) => exit.send(answer(200, 'well'));
        const [used, fresh] = [await open(), await open()];
        await used.send(`${GET}\r\n`).untilAnswers(1);
        await front.heard('closed');
        const drain = door.drain(20_000, 10_000);
        for (const client of [used, fresh]) client.send(`${GET}\r\n`);
        const [usedAnswers, freshAnswers] = [await used.untilEnd(), await fresh.untilEnd()];
        await drain;
        const told = [usedAnswers.at(-1)!, freshAnswers.at(-1)!].map(({ status, headers }) => [
          status,
          headers.get('connection'),
        ]);
        expect(told).toEqual([
          [200, 'close'],
          [200, 'close'],
        ]);
      });

      it('ends connections that stay quiet after that while', async () => {
        await start();
        const client = await open();
        await client.send(`${GET}\r\n`).untilAnswers(1);
        await front.heard('closed');
        await door.drain(20_000, 20);
        await client.untilEnd();
      });

      it('waits for answers and tells their clients to go', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(post('body'));
        await front.heard('complete');
        let drained = false;
        const drain = door.drain(5_000).then(() => {
          drained = true;
        });
        await new Promise((resolve) => setImmediate(resolve));
        expect(drained).toBe(false);
        front.only.exit.send(answer(200, 'done'));
        const [found] = await client.untilEnd();
        expect(found).toMatchObject({ status: 200, body: 'done' });
        expect(found!.headers.get('connection')).toBe('close');
        await drain;
        expect(front.only.events).toEqual(['open', 'complete', 'closed']);
      });

      it('still hears a request whose first bytes were there', async () => {
        await start();
        const client = await open();
        client.send('GET /v2 HTTP/1.1\r\n');
        await open();
        const drain = door.drain(5_000);
        client.send('Host: gate\r\n\r\n');
        expect((await client.untilEnd())[0]!.headers.get('connection')).toBe('close');
        await drain;
      });

      it('does not cut an answer on its way to a slow reader', async () => {
        await start();
        const piece = Buffer.alloc(1024 * 1024, 'a');
        front.onComplete = ({ exit }) => exit.send(answer(200, ...Array<Buffer>(32).fill(piece)));
        const client = await open();
        client.socket.pause();
        client.send(`${GET}\r\n`);
        await front.heard('complete');
        const drain = door.drain(5_000);
        client.socket.resume();
        const [found] = await client.untilEnd();
        expect(found!.body.length).toBe(32 * 1024 * 1024);
        await drain;
      });

      it('cuts what is left after the grace, and says so before it resolves', async () => {
        await start();
        front.onComplete = () => {};
        const client = await open();
        client.send(post('body'));
        await front.heard('complete');
        await door.drain(50);
        expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
        await client.untilEnd();
      });

      it('may be asked for twice', async () => {
        await start();
        await Promise.all([door.drain(1_000), door.drain(1_000)]);
      });
    });
  });
}

/** Sends more than the kernel's buffers hold; resolves with whether the other side took it all before the connection closed. */
async function isTakenWhole(client: RawConnection): Promise<boolean> {
  let failed = false;
  client.socket.write(Buffer.alloc(32 * 1024 * 1024), (error) => {
    failed = error instanceof Error;
  });
  await client.untilClosed();
  return !failed;
}

/** Whole numbers below a bound from a linear congruential generator. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // The low bits of such a generator repeat soon.
    return (state >>> 8) % bound;
  };
}

/** The bytes in six pieces or fewer. */
function cutAtRandom(bytes: string, seed: number): string[] {
  const random = randomNumbers(seed);
  const cuts = Array.from({ length: 5 }, () => random(bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, i) => bytes.slice(cut, cuts[i] ?? bytes.length));
}
