import type { Socket } from 'node:net';
import type { Config } from '../config/schema.ts';
import type { DrainLimits } from '../core/exchange.ts';
import { Fault } from '../core/faults.ts';
import type { GatewayFront } from '../gateway/gateway-front.ts';
import { GrpcListener } from '../gateway/listeners/grpc-listener.ts';
import { HttpListener } from '../gateway/listeners/http-listener.ts';
import type { LocalByteBudget } from '../limits/byte-budget.ts';
import type { Log } from '../telemetry/access-log.ts';
import { connectionRoom } from './connection-room.ts';
import type { TlsFiles } from './tls-files.ts';

/** Time for refusals to leave at the end of the grace, before the listeners cut what is left. */
const LAST_WORDS_MS = 250;

export interface ListenersOptions {
  readonly front: GatewayFront;
  readonly files: TlsFiles;
  readonly bytes: LocalByteBudget;
  readonly log: Log;
  readonly onRejected: (code: string) => void;
  readonly onGrpcRefused: () => void;
  readonly isReady: () => boolean;
}

/** The faces of the data plane: they take connections that others have accepted, and are drained together. */
export class Listeners {
  readonly #front: GatewayFront;
  readonly #http: HttpListener;
  readonly #grpc: GrpcListener;
  #drained: Promise<void> | null = null;

  constructor({ listen, limits }: Config, options: ListenersOptions) {
    const { front, files, bytes, onRejected, isReady } = options;
    this.#front = front;
    const hasRoom = connectionRoom(limits.maxOpenFilesPercent, options.log);
    const tls = files.face(listen.http.tls, 'listen.http.tls');
    this.#http = new HttpListener(listen.http, { tls, onRejected, hasRoom }, front);
    const grpc = {
      tls: files.face(listen.grpc.tls, 'listen.grpc.tls'),
      maxBodyBytes: limits.maxBodyBytes,
      bytes,
      isReady,
      hasRoom,
      onRefused: options.onGrpcRefused,
    };
    this.#grpc = new GrpcListener(listen.grpc, grpc, front);
  }

  take(face: 'http' | 'grpc', socket: Socket): void {
    if (face === 'http') this.#http.adopt(socket);
    else this.#grpc.adopt(socket);
  }

  closeIdle(): void {
    this.#http.closeIdle();
  }

  /** Ends once nothing is in flight; what outlives the grace is refused. Safe to call again. */
  drain(limits: DrainLimits): Promise<void> {
    this.#drained ??= this.#drain(limits);
    return this.#drained;
  }

  async #drain({ graceMs, idleMs }: DrainLimits): Promise<void> {
    const timer = setTimeout(() => this.#front.refuseAll(Fault.Draining), graceMs);
    const limits = { graceMs: graceMs + LAST_WORDS_MS, idleMs };
    await Promise.all([this.#http.drain(limits), this.#grpc.drain(limits)]);
    clearTimeout(timer);
  }
}
