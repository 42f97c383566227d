import type { Socket } from 'node:net';
import type { H2ServerLimits } from '../http2/server/server-limits.ts';
import type { AcceptStream } from './stream-exchange.ts';
import type { AcceptExchange } from './unary-exchange.ts';

/** PEM. */
export interface GrpcServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Authorities one of which must have signed the certificate of a client; null asks for none. */
  readonly clientCa: Buffer | null;
}

export interface GrpcServerOptions {
  /** Null serves plaintext. */
  readonly tls: GrpcServerTls | null;
  readonly maxMessageBytes: number;
  readonly maxMetadataBytes: number;
  readonly maxConnections: number;
  /** Asked for each new connection; without room it is closed at once. */
  readonly hasRoom: () => boolean;
  /** Hears of each connection that was closed when it came, but for those that came while this ends. */
  readonly onRefused: () => void;
  readonly maxConcurrentStreams: number;
  readonly maxConnectionIdleMs: number;
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A client that takes no byte of its answer for this long is cut. */
  readonly writeStallMs: number;
  /** For the engine of our own alone. */
  readonly http2: H2ServerLimits;
}

/** Who takes new calls: one message each way, unless `streams` holds the path. */
export interface GrpcAcceptors {
  readonly unary: AcceptExchange;
  readonly stream: AcceptStream;
  readonly streams: ReadonlySet<string>;
}

/** Takes gRPC calls of any path, on connections that others have accepted, and hands each over as soon as its metadata is here. */
export interface GrpcServer {
  /** Refuses it where there are as many connections as there may be, or none may come any more. */
  adopt(socket: Socket): void;
  /** Takes no new calls, tells clients so, and resolves when all have ended; the rest is cut after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}
