import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { HttpListenConfig } from '../../config/listen-schema.ts';
import { HttpRequest, HttpResponse } from './http-exchange.ts';

/** The node:http server behind a listener, with its limits set, and what its errors mean. */
export type HttpServer = Server<typeof HttpRequest, typeof HttpResponse>;

/** PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function makeServer(config: HttpListenConfig, tls: TlsFiles | null): HttpServer {
  // node:http refuses a limit for the header fields that is longer than the one for the whole request.
  const headersTimeout = Math.min(config.headersTimeoutMs, config.bodyTimeoutMs);
  const options: ServerOptions<typeof HttpRequest, typeof HttpResponse> = {
    IncomingMessage: HttpRequest,
    ServerResponse: HttpResponse,
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout,
    requestTimeout: config.bodyTimeoutMs,
    // 30 s by default, which would give a slow client four times its ten seconds.
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(headersTimeout / 10)),
    keepAliveTimeout: config.keepAliveTimeoutMs,
    keepAliveTimeoutBuffer: Math.min(1_000, config.keepAliveTimeoutMs),
    // Stated, so that no flag of the process can loosen the parser.
    insecureHTTPParser: false,
    // The missing Host is refused with all other flaws, by an answer that says so.
    requireHostHeader: false,
  };
  const server =
    tls === null
      ? createServer(options)
      : createTlsServer({
          ...options,
          cert: tls.cert,
          key: tls.key,
          minVersion: 'TLSv1.2',
          handshakeTimeout: headersTimeout,
        });
  server.maxConnections = config.maxConnections;
  // Past its limit node:http drops fields in silence, and a second Host with them; the bytes are limited already.
  server.maxHeadersCount = 0;
  return server;
}

/** Why a listener could not take its address, and what to do. */
export function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Cannot listen for HTTP on ${address}: another process holds it. Stop that process, or set listen.http.port to another port (0 takes a free one).`;
    case 'EACCES':
      return `Cannot listen for HTTP on ${address}: the system does not allow it. Ports below 1024 need a privilege; set listen.http.port to a higher one.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `Cannot listen for HTTP on ${address}: this machine has no such address. Set listen.http.host to one of its own, or to 0.0.0.0 for all.`;
    default:
      return `Cannot listen for HTTP on ${address}: ${error.message}. Set listen.http.host and listen.http.port to an address that is free.`;
  }
}
