import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SYSTEM_TIMING, type Timing } from '../../../core/timing.ts';
import type { GrpcAcceptors, GrpcServer, GrpcServerOptions } from '../../grpc/grpc-server.ts';
import type { WatchTimes } from './connection-watch.ts';
import { type ConnectionOwner, ServerConnection } from './server-connection.ts';
import { type ServerRules, serverRules } from './server-limits.ts';
import { ServerSocket } from './server-socket.ts';
import { type DoorOwner, TlsDoor } from './tls-door.ts';

/** Time for sockets to close once they are cut. */
const CUT_MS = 250;
/** Connections are looked at at least so often, and at most. */
const MOST_LOOK_MS = 1_000;
const LEAST_LOOK_MS = 5;
/** A time is kept to this part of itself. */
const LOOKS = 4;

/** A gRPC server on an HTTP/2 engine of our own. One alarm looks after all of its connections. */
export class H2Server implements GrpcServer, ConnectionOwner, DoorOwner {
  readonly rules: ServerRules;
  readonly acceptors: GrpcAcceptors;
  readonly timing: Timing;
  readonly times: WatchTimes;
  readonly maxMessageBytes: number;
  readonly #options: GrpcServerOptions;
  readonly #tls: TlsDoor | null;
  /** Every socket, whether it has a connection yet or not. */
  readonly #sockets = new Map<Socket, ServerConnection | null>();
  readonly #lookMs: number;
  readonly #ring = (): void => this.#look();
  #isLooking = false;
  #emptied: (() => void) | null = null;
  #drained: Promise<void> | null = null;

  constructor(options: GrpcServerOptions, acceptors: GrpcAcceptors, timing: Timing = SYSTEM_TIMING) {
    const { keepAliveTimeMs, keepAliveTimeoutMs, maxConnectionIdleMs, writeStallMs, tls } = options;
    this.#options = options;
    this.acceptors = acceptors;
    this.timing = timing;
    this.times = options;
    this.maxMessageBytes = options.maxMessageBytes;
    this.rules = serverRules(options.http2, options.maxConcurrentStreams, options.maxMetadataBytes);
    const shortest = Math.min(keepAliveTimeMs, keepAliveTimeoutMs, maxConnectionIdleMs, writeStallMs);
    this.#lookMs = Math.max(LEAST_LOOK_MS, Math.min(MOST_LOOK_MS, shortest / LOOKS));
    this.#tls = tls === null ? null : new TlsDoor(tls, this);
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
    this.#sockets.set(socket, null);
    socket.on('error', nothing);
    socket.once('close', () => this.#forget(socket));
    if (this.#tls === null) this.#connect(socket, socket);
    else this.#tls.take(socket);
  }

  onSecured(below: Socket, socket: TLSSocket): void {
    if (this.#sockets.has(below)) this.#connect(below, socket);
    else socket.destroy();
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#shutDown(graceMs);
    return this.#drained;
  }

  #connect(below: Socket, socket: Socket): void {
    socket.setNoDelay(true);
    const wire = new ServerSocket(socket);
    const connection = new ServerConnection(this, wire);
    const { clock } = this.timing;
    this.#sockets.set(below, connection);
    socket.on('data', (chunk: Buffer) => connection.read(chunk, clock.nowMs()));
    socket.on('drain', () => connection.drained());
    socket.on('end', () => connection.lost());
    socket.once('close', () => connection.lost());
    socket.resume();
    this.#lookLater();
  }

  #forget(socket: Socket): void {
    this.#sockets.get(socket)?.lost();
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#emptied?.();
  }

  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.timing.setAlarm(this.#lookMs, this.#ring);
  }

  #look(): void {
    this.#isLooking = false;
    const nowMs = this.timing.clock.nowMs();
    for (const connection of this.#sockets.values()) connection?.look(nowMs);
    if (this.#sockets.size > 0) this.#lookLater();
  }

  #shutDown(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(grace);
        clearTimeout(last);
        resolve();
      };
      const grace = setTimeout(() => this.#cut(), graceMs);
      const last = setTimeout(end, graceMs + CUT_MS);
      this.#emptied = end;
      for (const [socket, connection] of this.#sockets) {
        // A client halfway through its TLS handshake has no call to wait for, and no other way to be told.
        if (connection === null) socket.destroy();
        else connection.drain();
      }
      if (this.#sockets.size === 0) end();
    });
  }

  #cut(): void {
    for (const [socket, connection] of this.#sockets) {
      connection?.lost();
      socket.destroy();
    }
  }
}

const nothing = (): void => undefined;
