import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { GrpcServerTls } from '../../grpc/grpc-server.ts';

/** Who has the connections of a door, by the sockets that were brought to it. */
export interface DoorOwner {
  /** TLS stands on it, and both sides speak HTTP/2. */
  onSecured(below: Socket, socket: TLSSocket): void;
}

/** Time for a TLS handshake. */
const HANDSHAKE_MS = 10_000;

/** Has TLS spoken on sockets that others have accepted. What fails to is closed. */
export class TlsDoor {
  readonly #server: Server;
  readonly #owner: DoorOwner;
  /** Sockets within their handshake, by their two ends: node:tls does not tell which of them it has made a new one of. */
  readonly #entering = new Map<string, Socket>();

  constructor({ cert, key, clientCa }: GrpcServerTls, owner: DoorOwner) {
    this.#owner = owner;
    // RFC 9113, 9.2: TLS 1.2 is the oldest that may be.
    const options: TlsOptions = { cert, key, ALPNProtocols: ['h2'], minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS };
    const asking = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    this.#server = createServer({ ...options, ...asking });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
  }

  take(socket: Socket): void {
    const ends = endsOf(socket);
    // Its client is gone already.
    if (ends === null) {
      socket.destroy();
      return;
    }
    this.#entering.set(ends, socket);
    socket.once('close', () => {
      if (this.#entering.get(ends) === socket) this.#entering.delete(ends);
    });
    this.#server.emit('connection', socket);
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', nothing);
    const ends = endsOf(socket);
    const below = ends === null ? undefined : this.#entering.get(ends);
    // RFC 9113, 3.2: over TLS both sides have to agree on it.
    if (ends === null || below === undefined || socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    this.#entering.delete(ends);
    this.#owner.onSecured(below, socket);
  }
}

/** Both ends of a connection, which no two have in common while they stand; null where one of them is gone. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | null {
  if (remoteAddress === undefined || localAddress === undefined) return null;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

const nothing = (): void => undefined;
