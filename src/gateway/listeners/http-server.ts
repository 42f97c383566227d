import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { HttpListenConfig } from '../../config/listen-schema.ts';
import { HttpRequest, HttpResponse } from './http-exchange.ts';

/** The node:http server behind a listener, with its limits set. */
export type HttpServer = Server<typeof HttpRequest, typeof HttpResponse>;

/** PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Authorities of client certificates; null asks for none. */
  readonly clientCa: Buffer | null;
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
          ...(tls.clientCa !== null && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          minVersion: 'TLSv1.2',
          handshakeTimeout: headersTimeout,
        });
  // Past its limit node:http drops fields in silence, and a second Host with them; the bytes are limited already.
  server.maxHeadersCount = 0;
  return server;
}
