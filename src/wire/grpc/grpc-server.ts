import {
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import { silencePackageLog } from './package-log.ts';
import { acceptAnyMethod, limitConnections, limitMetadata } from './server-internals.ts';
import { type AcceptStream, StreamExchange } from './stream-exchange.ts';
import { type AcceptExchange, UnaryExchange } from './unary-exchange.ts';

export interface GrpcServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM; null serves plaintext. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  readonly maxMessageBytes: number;
  readonly maxMetadataBytes: number;
  readonly maxConnections: number;
  /** Asked for each new connection; without room it is closed at once. */
  readonly hasRoom: () => boolean;
  readonly maxConcurrentStreams: number;
  readonly maxConnectionIdleMs: number;
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A client that takes no byte of its answer for this long is cut. */
  readonly writeStallMs: number;
}

/** Who takes new calls: one message each way, unless `streams` holds the path. */
export interface GrpcAcceptors {
  readonly unary: AcceptExchange;
  readonly stream: AcceptStream;
  readonly streams: ReadonlySet<string>;
}

/** A socket that takes gRPC calls of any path and hands each over as soon as its metadata is here. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  #bound = '';
  #drained: Promise<void> | null = null;

  constructor(options: GrpcServerOptions, acceptors: GrpcAcceptors) {
    silencePackageLog();
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': options.maxConcurrentStreams,
      'grpc.max_connection_idle_ms': options.maxConnectionIdleMs,
      'grpc.keepalive_time_ms': options.keepAliveTimeMs,
      'grpc.keepalive_timeout_ms': options.keepAliveTimeoutMs,
      'grpc.enable_channelz': 0,
      'grpc-node.max_session_memory': SESSION_MEMORY_MB,
      interceptors: [
        ({ path }: ServerMethodDefinition<unknown, unknown>, call: ServerInterceptingCallInterface): ServerInterceptingCall =>
          acceptors.streams.has(path)
            ? new StreamExchange(path, call, acceptors.stream, options.writeStallMs)
            : new UnaryExchange(path, call, acceptors.unary, options.writeStallMs),
      ],
    });
    acceptAnyMethod(this.#server);
    limitMetadata(this.#server, options.maxMetadataBytes);
  }

  /** Resolves with the port really bound. */
  listen(): Promise<number> {
    const { port, tls } = this.#options;
    const host = this.#options.host.includes(':') ? `[${this.#options.host}]` : this.#options.host;
    const credentials =
      tls === null
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }], false);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, credentials, (error, boundPort) => {
        if (error !== null) {
          reject(new Error(explain(error, `${host}:${port}`), { cause: error }));
          return;
        }
        this.#bound = `${host}:${boundPort}`;
        limitConnections(this.#server, this.#options.maxConnections, this.#options.hasRoom);
        resolve(boundPort);
      });
    });
  }

  /** Takes no new calls, tells clients so, and resolves when all have ended; the rest is cut after `graceMs`. */
  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#shutDown(graceMs);
    return this.#drained;
  }

  #shutDown(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      // A client halfway through its TLS handshake has no call to wait for, and no other way to be told.
      const last = setTimeout(resolve, graceMs + CUT_MS);
      // In this order: `tryShutdown` alone never cuts, and after it `drain` finds nothing left to close.
      if (this.#bound !== '') this.#server.drain(this.#bound, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(last);
        resolve();
      });
    });
  }
}

/** What HTTP/2 may hold for one connection besides messages: header tables and queued frames. Node's own default is 10. */
const SESSION_MEMORY_MB = 64;

/** Time for sockets to close once they are cut. */
const CUT_MS = 250;

/** Why the address could not be taken, and what to do. */
function explain(error: Error, address: string): string {
  const text = `Cannot listen for gRPC on ${address}: `;
  const { message } = error;
  if (message.includes('EADDRINUSE')) {
    return `${text}another process holds it. Stop that process, or set listen.grpc.port to another port (0 takes a free one).`;
  }
  if (message.includes('EACCES')) {
    return `${text}the system does not allow it. Ports below 1024 need a privilege; set listen.grpc.port to a higher one.`;
  }
  if (message.includes('EADDRNOTAVAIL') || message.includes('ENOTFOUND')) {
    return `${text}this machine has no such address. Set listen.grpc.host to one of its own, or to 0.0.0.0 for all.`;
  }
  return `${text}${message}. Set listen.grpc.host and listen.grpc.port to an address that is free.`;
}
