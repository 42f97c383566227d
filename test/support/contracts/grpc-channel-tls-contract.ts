import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { http2Backend } from '../../../src/config/http2-schema.ts';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import type { GrpcChannel, GrpcChannelOptions, GrpcChannelTls } from '../../../src/wire/grpc/grpc-channel.ts';
import { answer, startBareServer } from '../bare-http2-server.ts';
import { Ending } from '../call-endings.ts';
import {
  AUTHORITY,
  CLIENT_PAIR,
  EXPIRED_CLIENT_PAIR,
  EXPIRED_SERVER_PAIR,
  OTHER_AUTHORITY,
  SERVER_PAIR,
  STRANGER_PAIR,
  type TestPair,
} from '../test-authority.ts';

/** What every GrpcChannel promises of TLS: to whom it speaks, what it shows, and what it says when it comes to nothing. */

const closers: (() => unknown)[] = [];
const HTTP2 = http2Backend.parse({});

interface Asked {
  readonly server?: TestPair;
  /** Authorities of clients; null asks for no certificate. */
  readonly clientCa?: Buffer | null;
  readonly tls?: Partial<GrpcChannelTls>;
}

export function grpcChannelTlsContract(name: string, make: (options: GrpcChannelOptions) => GrpcChannel): void {
  async function ask(address: string, tls: Partial<GrpcChannelTls>): Promise<Ending> {
    const whole = { ca: AUTHORITY, cert: null, key: null, serverName: null, ...tls };
    const channel = make({ address, ip: '127.0.0.1', tls: whole, maxMessageBytes: 1_000, connectTimeoutMs: 1_000, http2: HTTP2 });
    closers.push(() => channel.close());
    const ending = new Ending();
    channel.unary('/a/b', Buffer.from('?'), { headers: [], timeoutMs: 10_000 }, ending);
    return ending.ended;
  }

  async function asked({ server = SERVER_PAIR, clientCa = null, tls = {} }: Asked): Promise<Ending> {
    const asking = clientCa === null ? {} : { ca: clientCa, requestCert: true };
    const bare = await startBareServer((stream) => answer(stream, [Buffer.from('x')]), { tls: { ...server, ...asking } });
    closers.push(() => bare.close());
    return ask(`localhost:${bare.address.split(':')[1]}`, tls);
  }

  /** Of a TLS server that speaks no HTTP/2 at all. */
  async function askedOther(options: TlsOptions): Promise<Ending> {
    const server = createServer({ ...SERVER_PAIR, ...options }, (socket) => socket.on('error', () => undefined));
    return askedRaw((socket) => server.emit('connection', socket));
  }

  async function askedRaw(onSocket: (socket: Socket) => void): Promise<Ending> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      closers.push(() => socket.destroy());
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    return ask(`localhost:${(server.address() as AddressInfo).port}`, {});
  }

  describe(`${name} as a GrpcChannel over TLS, and its certificates`, () => {
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    it('shows its own where the server asks for one', async () => {
      expect((await asked({ clientCa: AUTHORITY, tls: CLIENT_PAIR })).message?.toString()).toBe('x');
    });

    it('shows it to none that does not ask, and needs none there', async () => {
      expect((await asked({ tls: CLIENT_PAIR })).message?.toString()).toBe('x');
      expect((await asked({})).message?.toString()).toBe('x');
    });

    it.each<[string, Asked, RegExp]>([
      ['of an authority that is not trusted', { tls: { ca: OTHER_AUTHORITY } }, /(unable to (get|verify)|self-signed|authority)/],
      ['of an authority that the system does not know', { tls: { ca: null } }, /(unable to (get|verify)|self-signed|authority)/],
      ['that has expired', { server: EXPIRED_SERVER_PAIR }, /expired/],
      ['for another host', { tls: { serverName: 'other.test' } }, /other\.test/],
    ])('sends nothing to a server with a certificate %s, and says so', async (_what, options, words) => {
      const { status, sent, details } = await asked(options);
      expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
      expect(details).toMatch(words);
    });

    it.each<[string, Partial<GrpcChannelTls>]>([
      ['none', {}],
      ['one of another authority', STRANGER_PAIR],
      ['one that has expired', EXPIRED_CLIENT_PAIR],
    ])('is let in nowhere with %s where one is asked for, and says that no connection came about', async (_what, tls) => {
      const { status, sent, message, details } = await asked({ clientCa: AUTHORITY, tls });
      expect([status, message]).toEqual([GrpcStatus.Unavailable, null]);
      // Over TLS 1.3 a client that is refused believes for a moment that it is in, and the package sends its calls then.
      if (name === 'PackageChannel') return;
      expect(sent).toBe(false);
      expect(details).toMatch(/client certificate/);
    });

    it.each<[string, TlsOptions]>([
      ['speaks other protocols alone', { ALPNProtocols: ['http/1.1'] }],
      ['has chosen no protocol', {}],
    ])('sends no call to a server that %s', async (_what, options) => {
      const { status, sent } = await askedOther(options);
      expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    });

    it('speaks nothing older than TLS 1.2', async () => {
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      const { status, sent } = await askedOther({ ...old, ALPNProtocols: ['h2'] });
      expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    });

    it('sends no call to a server that does not speak TLS', async () => {
      const { status, sent } = await askedRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    });
  });
}
