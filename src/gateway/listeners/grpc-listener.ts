import type { Socket } from 'node:net';
import type { GrpcListenConfig } from '../../config/listen-schema.ts';
import type { DrainLimits, Listener } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import type { ByteBudget } from '../../core/limits.ts';
import { GrpcPath } from '../../protocols/grpc/methods.ts';
import type { GrpcServer, GrpcServerTls } from '../../wire/grpc/grpc-server.ts';
import { openGrpcServer } from '../../wire/grpc/open-server.ts';
import type { StreamExchange, StreamOwner } from '../../wire/grpc/stream-exchange.ts';
import { GrpcExchange } from './grpc-exchange.ts';
import { GrpcHead } from './grpc-head.ts';
import { GrpcStream } from './grpc-stream.ts';
import { HealthWatch } from './health-watch.ts';
import { HealthWatches } from './health-watches.ts';
import { RefusedStream } from './refused-stream.ts';
import { INFER_FRAMING, PLAIN_FRAMING } from './stream-framing.ts';
import type { StreamFront } from './stream-front.ts';
import { StreamHouse } from './stream-house.ts';

export interface GrpcListenerOptions {
  readonly maxBodyBytes: number;
  /** Bytes of all bodies of the process; messages that are not whole yet are counted here as they come. */
  readonly bytes: ByteBudget;
  /** PEM, read from the files that config names; null serves plaintext. */
  readonly tls: GrpcServerTls | null;
  /** What those who watch the health of this gateway are told. */
  readonly isReady: () => boolean;
  /** Time for a client to send its whole message. */
  readonly bodyTimeoutMs?: number;
  /** Asked for each new connection; without room it is closed at once. */
  readonly hasRoom?: () => boolean;
  /** Hears of each connection for which there was none, or that was one too many. */
  readonly onRefused?: () => void;
}

/** The same as the HTTP face grants by default. */
const BODY_TIMEOUT_MS = 30_000;

/** The gRPC face: every call, whatever its path, is handed to the front with its metadata alone. */
export class GrpcListener implements Listener<Socket> {
  readonly face = 'grpc';
  readonly #server: GrpcServer;
  readonly #config: GrpcListenConfig;
  readonly #front: StreamFront;
  readonly #house: StreamHouse;
  readonly #watches: HealthWatches;
  readonly #bodyTimeoutMs: number;

  constructor(config: GrpcListenConfig, options: GrpcListenerOptions, front: StreamFront) {
    this.#config = config;
    this.#front = front;
    const bodyTimeoutMs = options.bodyTimeoutMs ?? BODY_TIMEOUT_MS;
    this.#bodyTimeoutMs = bodyTimeoutMs;
    this.#house = new StreamHouse(front, {
      maxInFlight: config.maxStreamInFlight,
      idleMs: config.maxStreamIdleMs,
      bodyTimeoutMs,
      bytes: options.bytes,
    });
    this.#watches = new HealthWatches(front, options.isReady);
    this.#server = openGrpcServer(
      config.engine,
      {
        tls: options.tls,
        maxMessageBytes: options.maxBodyBytes,
        maxMetadataBytes: config.maxMetadataBytes,
        maxConnections: config.maxConnections,
        maxConcurrentStreams: config.maxConcurrentStreams,
        maxConnectionIdleMs: config.maxConnectionIdleMs,
        keepAliveTimeMs: config.keepAliveTimeMs,
        keepAliveTimeoutMs: config.keepAliveTimeoutMs,
        writeStallMs: config.writeStallMs,
        http2: config.http2,
        hasRoom: options.hasRoom ?? always,
        onRefused: options.onRefused ?? nothing,
      },
      {
        unary: (exchange) => new GrpcExchange(exchange, this.#house),
        stream: (exchange) => this.#acceptStream(exchange),
        streams: streamPaths(config.reflection),
      },
    );
  }

  adopt(socket: Socket): void {
    this.#server.adopt(socket);
  }

  /** Quiet connections are told to go at once: HTTP/2 tells clients which of their calls were not heard, and these may ask elsewhere. */
  drain({ graceMs }: DrainLimits): Promise<void> {
    // In this order: those who watch hear that it ends before the end.
    this.#watches.drain();
    this.#house.drain();
    return this.#server.drain(graceMs);
  }

  #acceptStream(exchange: StreamExchange): StreamOwner {
    if (this.#house.draining) return new RefusedStream(exchange, this.#front, Fault.Draining, '');
    if (exchange.path === GrpcPath.HealthWatch) return this.#acceptWatch(exchange);
    if (!this.#front.knows(new GrpcHead(exchange, -1, exchange.timeoutMs))) {
      return new RefusedStream(exchange, this.#front, Fault.KeyUnknown, '');
    }
    const { maxStreams } = this.#config;
    if (this.#house.size >= maxStreams) {
      return new RefusedStream(exchange, this.#front, Fault.Overloaded, `${maxStreams} streams are open, the limit.`);
    }
    return new GrpcStream(exchange, this.#house, exchange.path === GrpcPath.ModelStreamInfer ? INFER_FRAMING : PLAIN_FRAMING);
  }

  #acceptWatch(exchange: StreamExchange): StreamOwner {
    const { maxHealthWatches } = this.#config;
    if (this.#watches.size < maxHealthWatches) return new HealthWatch(exchange, this.#watches, this.#bodyTimeoutMs);
    return new RefusedStream(exchange, this.#front, Fault.Overloaded, `${maxHealthWatches} calls watch, the limit.`);
  }
}

const always = (): boolean => true;
const nothing = (): void => undefined;

function streamPaths(reflection: boolean): ReadonlySet<string> {
  const paths: string[] = [GrpcPath.ModelStreamInfer, GrpcPath.HealthWatch];
  if (reflection) paths.push(GrpcPath.Reflection, GrpcPath.ReflectionAlpha);
  return new Set(paths);
}
