import { connect } from 'node:http2';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import { Reply } from '../../../src/core/exchange.ts';
import { GrpcListener } from '../../../src/gateway/listeners/grpc-listener.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import type { GrpcEngine } from '../../../src/wire/grpc/open-channel.ts';
import { framed } from '../bare-http2-server.ts';
import { openDoor } from '../open-door.ts';
import { RecordingFront } from '../recording-front.ts';
import { AUTHORITY, CLIENT_PAIR, EXPIRED_CLIENT_PAIR, SERVER_PAIR, STRANGER_PAIR } from '../test-authority.ts';

/** Whom the gRPC face lets in over TLS, whichever engine speaks HTTP/2. */

const closers: (() => unknown)[] = [];

interface Served {
  readonly front: RecordingFront;
  readonly port: number;
}

async function serve(engine: GrpcEngine, clientCa: Buffer | null): Promise<Served> {
  const front = new RecordingFront();
  front.onComplete = ({ exit }) => exit.send(new Reply());
  const listener = new GrpcListener(
    grpcListen.parse({ engine }),
    { maxBodyBytes: 65_536, bytes: new LocalByteBudget(1_000_000), tls: { ...SERVER_PAIR, clientCa }, isReady: () => true },
    front,
  );
  const door = await openDoor(listener);
  closers.push(() => door.drain(0));
  return { front, port: door.port };
}

/** What becomes of one call: its status of gRPC, or why there is none. */
function called(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const session = connect(`https://localhost:${port}`, { ca: AUTHORITY, ...options });
    closers.push(() => session.destroy());
    session.on('error', (error) => resolve(error.message));
    session.on('close', () => resolve('closed'));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      te: 'trailers',
      'content-type': 'application/grpc',
    });
    // A session of node:http2 hears nothing of an alert that comes behind the client's own side of the handshake; its streams do.
    stream.on('error', (error) => resolve(error.message));
    stream.on('trailers', (fields) => resolve(`status ${String(fields['grpc-status'])}`));
    stream.on('response', (fields) => {
      if (fields['grpc-status'] !== undefined) resolve(`status ${String(fields['grpc-status'])}`);
    });
    stream.resume();
    stream.end(framed(Buffer.from('x')));
  });
}

/** How a handshake ends that offers these protocols: what has been agreed, and then the end of the connection. */
function shaken(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    let agreed = '';
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca: AUTHORITY, ...options }, () => {
      agreed = `agreed on ${String(socket.alpnProtocol)}, `;
      socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    });
    closers.push(() => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(agreed + error.code));
    socket.on('close', () => resolve(`${agreed}closed`));
    socket.resume();
  });
}

export function grpcListenerTlsContract(engine: GrpcEngine): void {
  describe(`GrpcListener over ${engine} and TLS`, () => {
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    it('asks no client for a certificate where none is configured', async () => {
      const { port } = await serve(engine, null);
      expect(await called(port, {})).toBe('status 0');
      expect(await called(port, STRANGER_PAIR)).toBe('status 0');
    });

    it('takes a client whose certificate its authority has signed', async () => {
      const { front, port } = await serve(engine, AUTHORITY);
      expect(await called(port, CLIENT_PAIR)).toBe('status 0');
      expect(front.only.head.remoteAddress).toBe('127.0.0.1');
    });

    it.each([
      ['without a certificate', {}],
      ['with one of another authority', STRANGER_PAIR],
      ['with one that has expired', EXPIRED_CLIENT_PAIR],
      ['without one, over TLS 1.2', { maxVersion: 'TLSv1.2' } as const],
      ['with one of another authority, over TLS 1.2', { ...STRANGER_PAIR, maxVersion: 'TLSv1.2' } as const],
    ])('lets no client in %s, and others after it', async (_what, options) => {
      const { front, port } = await serve(engine, AUTHORITY);
      expect(await called(port, options)).not.toContain('status');
      expect(front.visits).toEqual([]);
      expect(await called(port, CLIENT_PAIR)).toBe('status 0');
    });

    it('refuses a client that offers other protocols alone, within the handshake', async () => {
      const { front, port } = await serve(engine, null);
      expect(await shaken(port, { ALPNProtocols: ['http/1.1'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
      expect(await shaken(port, { ALPNProtocols: ['http/1.1', 'h2'], maxVersion: 'TLSv1.2' })).toMatch(/^agreed on h2, /);
      expect(front.visits).toEqual([]);
    });

    it('closes the connection of a client that offers no protocol', async () => {
      const { front, port } = await serve(engine, null);
      expect(await shaken(port, {})).toMatch(/^agreed on false, (closed|ECONNRESET)$/);
      expect(front.visits).toEqual([]);
      expect(await called(port, {})).toBe('status 0');
    });

    it('speaks nothing older than TLS 1.2', async () => {
      const { port } = await serve(engine, null);
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      expect(await shaken(port, { ...old, ALPNProtocols: ['h2'] })).toMatch(/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
    });

    it('resets no call of one client for what another does', async () => {
      const { port } = await serve(engine, AUTHORITY);
      const mixed = Array.from({ length: 9 }, (_, i) => called(port, [CLIENT_PAIR, STRANGER_PAIR, {}][i % 3]!));
      const ends = await Promise.all(mixed);
      expect(ends.map((end) => end === 'status 0')).toEqual(Array.from({ length: 9 }, (_, i) => i % 3 === 0));
    });
  });
}
