import type { Socket } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import type { GrpcAcceptors, GrpcServer, GrpcServerOptions } from './grpc-server.ts';
import { silencePackageLog } from './package-log.ts';
import { PackageStreamExchange } from './package-stream-exchange.ts';
import { PackageUnaryExchange } from './package-unary-exchange.ts';
import { acceptAnyMethod, keepBlankEnds, limitMetadata, limitPreface } from './server-internals.ts';

/** The gRPC server of the package. */
export class PackageServer implements GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #sockets = new Set<Socket>();
  #emptied: (() => void) | null = null;
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
            ? new PackageStreamExchange(path, call, acceptors.stream, options.writeStallMs)
            : new PackageUnaryExchange(path, call, acceptors.unary, options.writeStallMs),
      ],
    });
    acceptAnyMethod(this.#server);
    limitMetadata(this.#server, options.maxMetadataBytes);
    keepBlankEnds(this.#server);
    const { tls } = options;
    const credentials =
      tls === null
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(tls.clientCa, [{ cert_chain: tls.cert, private_key: tls.key }], tls.clientCa !== null);
    this.#injector = this.#server.createConnectionInjector(credentials);
    limitPreface(this.#server);
  }

  adopt(socket: Socket): void {
    const { maxConnections, hasRoom, onRefused } = this.#options;
    if (this.#drained !== null) {
      socket.destroy();
      return;
    }
    if (this.#sockets.size >= maxConnections || !hasRoom()) {
      socket.destroy();
      onRefused();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#emptied?.();
    });
    this.#injector.injectConnection(socket);
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#shutDown(graceMs);
    return this.#drained;
  }

  #shutDown(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(last);
        // A client halfway through its TLS handshake has no call to wait for, and no other way to be told.
        for (const socket of this.#sockets) socket.destroy();
        resolve();
      };
      const last = setTimeout(end, graceMs + CUT_MS);
      this.#emptied = end;
      this.#injector.drain(graceMs);
      // Its own end is no news: it counts a session as closed as soon as that has been told to close.
      this.#server.tryShutdown(() => undefined);
      if (this.#sockets.size === 0) end();
    });
  }
}

/** What HTTP/2 may hold for one connection besides messages: header tables and queued frames. Node's own default is 10. */
const SESSION_MEMORY_MB = 64;

/** Time for sockets to close once they are cut. */
const CUT_MS = 250;
