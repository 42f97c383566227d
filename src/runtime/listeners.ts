import type { Config } from '../config/schema.ts';
import type { Listener } from '../core/exchange.ts';
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
  readonly isReady: () => boolean;
}

/** The faces of the data plane: they open one after the other and are drained together. */
export class Listeners {
  readonly #front: GatewayFront;
  readonly #http: HttpListener;
  readonly #grpc: GrpcListener;
  /** Those that have a port. */
  readonly #open: Listener[] = [];

  constructor({ listen, limits }: Config, options: ListenersOptions) {
    const { front, files, bytes, onRejected, isReady } = options;
    this.#front = front;
    const hasRoom = connectionRoom(limits.maxOpenFilesPercent, options.log);
    const tls = files.pair(listen.http.tls, 'listen.http.tls');
    this.#http = new HttpListener(listen.http, { tls, onRejected, hasRoom }, front);
    const grpc = {
      tls: files.pair(listen.grpc.tls, 'listen.grpc.tls'),
      maxBodyBytes: limits.maxBodyBytes,
      bytes,
      isReady,
      hasRoom,
    };
    this.#grpc = new GrpcListener(listen.grpc, grpc, front);
  }

  /** Null when `isStopped` before all are open; those that are stay so until they are drained. Rejects when a port is taken. */
  async listen(isStopped: () => boolean): Promise<{ http: number; grpc: number } | null> {
    if (isStopped()) return null;
    const http = await this.#listen(this.#http);
    if (isStopped()) return null;
    const grpc = await this.#listen(this.#grpc);
    return isStopped() ? null : { http, grpc };
  }

  async #listen(listener: Listener): Promise<number> {
    const port = await listener.listen();
    this.#open.push(listener);
    return port;
  }

  closeIdle(): void {
    this.#http.closeIdle();
  }

  /** Ends once nothing is in flight; what outlives the grace is refused. Safe to call again, for those that opened meanwhile. */
  async drain(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#front.refuseAll(Fault.Draining), graceMs);
    await Promise.all(this.#open.splice(0).map((listener) => listener.drain(graceMs + LAST_WORDS_MS)));
    clearTimeout(timer);
  }
}
