import type { GrpcListenConfig } from '../../config/listen-schema.ts';
import type { Front, Listener } from '../../core/exchange.ts';
import { GrpcServer } from '../../wire/grpc/grpc-server.ts';
import { GrpcExchange } from './grpc-exchange.ts';

export interface GrpcListenerOptions {
  readonly maxBodyBytes: number;
  /** PEM, read from the files that config names; null serves plaintext. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Time for a client to send its whole message. */
  readonly bodyTimeoutMs?: number;
  /** A client that takes no byte of its answer for this long is dropped. */
  readonly writeStallMs?: number;
}

/** The same as the HTTP face grants by default. */
const BODY_TIMEOUT_MS = 30_000;
const WRITE_STALL_MS = 30_000;

/** The gRPC face: every call, whatever its path, is handed to the front with its metadata alone. */
export class GrpcListener implements Listener {
  readonly face = 'grpc';
  readonly #server: GrpcServer;

  constructor(config: GrpcListenConfig, options: GrpcListenerOptions, front: Front) {
    const bodyTimeoutMs = options.bodyTimeoutMs ?? BODY_TIMEOUT_MS;
    this.#server = new GrpcServer(
      {
        host: config.host,
        port: config.port,
        tls: options.tls,
        maxMessageBytes: options.maxBodyBytes,
        maxMetadataBytes: config.maxMetadataBytes,
        maxConcurrentStreams: config.maxConcurrentStreams,
        maxConnectionIdleMs: config.maxConnectionIdleMs,
        keepAliveTimeMs: config.keepAliveTimeMs,
        keepAliveTimeoutMs: config.keepAliveTimeoutMs,
        writeStallMs: options.writeStallMs ?? WRITE_STALL_MS,
      },
      (exchange) => new GrpcExchange(exchange, front, bodyTimeoutMs),
    );
  }

  listen(): Promise<number> {
    return this.#server.listen();
  }

  drain(graceMs: number): Promise<void> {
    return this.#server.drain(graceMs);
  }
}
