import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** PEM where it is a buffer; null takes what the system has, or sends none. */
export interface HttpPoolTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** Name the server certificate must have; null is the host. */
  readonly serverName: string | null;
}

export interface ConnectorOptions {
  /** For https; null takes the defaults. */
  readonly tls: HttpPoolTls | null;
  /** Connected to in place of the host, whose name certificates and the Host field keep; empty connects to the host. */
  readonly ip: string;
  readonly connectTimeoutMs: number;
}

/** Makes connections that stand in time, TLS included. The package's own timer for that is half a second coarse. */
export function connectorOf({ tls, ip, connectTimeoutMs }: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    timeout: 0,
    rejectUnauthorized: true,
    // Calls that share one HTTP/2 connection would share its fate and its window; gRPC is there for that.
    allowH2: false,
    ...tlsOptions(tls),
  });
  return (options, callback) => {
    // The types leave out that the socket is returned.
    const where = ip === '' ? options : { ...options, hostname: ip };
    const socket = connect(where, (...outcome) => {
      clearTimeout(timer);
      callback(...outcome);
    }) as unknown as Socket;
    const timer = setTimeout(giveUp, connectTimeoutMs, socket, connectTimeoutMs);
  };
}

function giveUp(socket: Socket, waitedMs: number): void {
  socket.destroy(new Error(`No connection within ${waitedMs} ms.`));
}

function tlsOptions(tls: HttpPoolTls | null): Record<string, Buffer | string> {
  const options: Record<string, Buffer | string> = {};
  if (tls === null) return options;
  if (tls.ca !== null) options['ca'] = tls.ca;
  if (tls.cert !== null) options['cert'] = tls.cert;
  if (tls.key !== null) options['key'] = tls.key;
  if (tls.serverName !== null) options['servername'] = tls.serverName;
  return options;
}
