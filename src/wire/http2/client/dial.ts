import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { GrpcChannelOptions } from '../../grpc/grpc-channel.ts';
import { CLOSED, dialReason } from './dial-reason.ts';

/** Where calls go and how: what a channel's options come to. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** Name that a certificate must have. */
  readonly name: string;
  /** Null is plaintext. */
  readonly secure: SecureContext | null;
}

export interface DialListener {
  /** The socket stands, and no byte has been read. */
  onConnect(): void;
  /** Lent for the time of the call. */
  onRead(chunk: Buffer, bytes: number): void;
  onDrain(): void;
  /** Once, whether it ever stood or not. */
  onClose(reason: string): void;
}

/** One is enough for each connection: what it holds is used before the next is read. */
const READ_BYTES = 65_536;

/** Dials. What the socket reads goes into the same memory again and again. */
export function dial(target: DialTarget, listener: DialListener): Socket {
  const socket = target.secure === null ? connectTcp(plain(target, listener)) : connectSecurely(target, listener);
  let reason = CLOSED;
  socket.once(target.secure === null ? 'connect' : 'secureConnect', () => {
    // RFC 9113, 3.2: over TLS both sides have to agree on it.
    if (target.secure !== null && (socket as TLSSocket).alpnProtocol !== 'h2') {
      reason = 'The server does not speak HTTP/2: it has not chosen h2 (ALPN).';
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    listener.onConnect();
  });
  socket.on('drain', () => listener.onDrain());
  socket.on('error', (error) => {
    reason = dialReason(error);
  });
  socket.once('close', () => listener.onClose(reason));
  return socket;
}

function plain({ host, port }: DialTarget, listener: DialListener): TcpNetConnectOpts {
  const callback = (bytes: number, chunk: Uint8Array): boolean => {
    listener.onRead(chunk as Buffer, bytes);
    return true;
  };
  return { host, port, noDelay: true, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback } };
}

function connectSecurely(target: DialTarget, listener: DialListener): TLSSocket {
  const { name, secure } = target;
  const options = {
    ...plain(target, listener),
    secureContext: secure!,
    ALPNProtocols: ['h2'],
    // RFC 6066, 3: an address is no server name.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  };
  return connectTls(options);
}

export function dialTarget({ address, ip, tls }: GrpcChannelOptions): DialTarget {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const name = tls?.serverName ?? host;
  return {
    host: ip === '' ? host : ip,
    port: Number(address.slice(colon + 1)),
    name,
    secure: tls === null ? null : contextOf(tls),
  };
}

function contextOf(tls: NonNullable<GrpcChannelOptions['tls']>): SecureContext {
  const { ca, cert, key } = tls;
  // RFC 9113, 9.2: TLS 1.2 is the oldest that may be.
  const given = { ...(ca !== null && { ca }), ...(cert !== null && { cert }), ...(key !== null && { key }) };
  return createSecureContext({ minVersion: 'TLSv1.2', ...given });
}
