import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpListen } from '../../../../src/config/listen-schema.ts';
import { HttpListener } from '../../../../src/gateway/listeners/http-listener.ts';
import { type OpenDoor, openDoor } from '../../../support/open-door.ts';
import { RawConnection } from '../../../support/raw-http.ts';
import { answer, RecordingFront } from '../../../support/recording-front.ts';
import { AUTHORITY, CLIENT_PAIR, EXPIRED_CLIENT_PAIR, SERVER_PAIR, STRANGER_PAIR } from '../../../support/test-authority.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../../support/test-certificate.ts';

const GET = 'GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n';

const LAST = 'GET /v2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

let front: RecordingFront;
let rejected: string[];
let door: OpenDoor;
let port = 0;

beforeEach(async () => {
  front = new RecordingFront();
  rejected = [];
  const listener = new HttpListener(
    { ...httpListen.parse({}), headersTimeoutMs: 150, writeStallMs: 5_000 },
    {
      tls: { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY, clientCa: null },
      onRejected: (code) => rejected.push(code),
    },
    front,
  );
  door = await openDoor(listener);
  port = door.port;
});
afterEach(async () => {
  await door.drain(50);
  expect(front.violations).toEqual([]);
});

const secure = (options: ConnectionOptions = {}): Promise<RawConnection> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: TEST_CERTIFICATE, ...options }, () => {
      resolve(RawConnection.over(socket));
    });
    socket.once('error', reject);
  });

describe('HttpListener over TLS, with client certificates', () => {
  const first = async (options: ConnectionOptions): Promise<number[]> => {
    const listener = new HttpListener(
      httpListen.parse({}),
      { tls: { ...SERVER_PAIR, clientCa: AUTHORITY }, onRejected: (code) => rejected.push(code) },
      front,
    );
    const other = await openDoor(listener);
    const client = await secure({ port: other.port, ca: AUTHORITY, ...options });
    const found = await client.send(LAST).untilEnd();
    await other.drain(50);
    return found.map(({ status }) => status);
  };

  it('takes a client whose certificate its authority has signed', async () => {
    expect(await first(CLIENT_PAIR)).toEqual([200]);
  });

  it.each([
    ['none', {}],
    ['one of another authority', STRANGER_PAIR],
    ['one that has expired', EXPIRED_CLIENT_PAIR],
  ])('answers no client with %s', async (_what, pair) => {
    expect(await first(pair)).toEqual([]);
    expect(front.visits).toEqual([]);
  });
});

describe('HttpListener over TLS', () => {
  it('speaks TLS 1.3 and answers many requests on one connection', async () => {
    const client = await secure({ minVersion: 'TLSv1.3' });
    await client.send(GET).untilAnswers(1);
    const [, second] = await client.send(GET).untilAnswers(2);
    expect(second!.status).toBe(200);
    expect(front.visits[1]!.head.remoteAddress).toContain('127.0.0.1');
    client.destroy();
  });

  it('speaks TLS 1.2 and nothing older', async () => {
    const client = await secure({ maxVersion: 'TLSv1.2' });
    expect((await client.send(GET).untilAnswers(1))[0]!.status).toBe(200);
    client.destroy();
    await expect(secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })).rejects.toThrow();
  });

  it('cuts a client that speaks plain text', async () => {
    const client = await RawConnection.open(port);
    expect(await client.send(GET).untilEnd()).toEqual([]);
    expect(front.visits).toEqual([]);
  });

  it('ends a handshake that does not get on', async () => {
    const client = await RawConnection.open(port);
    expect(await client.untilEnd()).toEqual([]);
  });

  it('refuses what is malformed as it does in plain text', async () => {
    const client = await secure();
    const [found] = await client.send('GET /a/../b HTTP/1.1\r\nHost: localhost\r\n\r\n').untilEnd();
    expect(found!.status).toBe(400);
    expect(rejected).toEqual(['MALFORMED']);
  });

  it('notices a client that leaves before its answer', async () => {
    front.onComplete = () => {};
    const client = await secure();
    client.send(GET);
    await front.heard('complete');
    client.destroy();
    await front.heard('closed');
    expect(front.only.events).toEqual(['open', 'complete', 'gone', 'closed']);
  });

  it('carries a large answer whole', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'a');
    front.onComplete = ({ exit }) => exit.send(answer(200, ...Array<Buffer>(4).fill(piece)));
    const client = await secure();
    const [found] = await client.send(GET).untilAnswers(1);
    expect(found!.body.length).toBe(4 * 1024 * 1024);
    client.destroy();
  });
});
