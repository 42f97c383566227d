import type { Socket } from 'node:net';
import type { Face } from '../ipc/messages.ts';
import type { HandedSocket, WorkerHandle } from './worker-handle.ts';

/** A worker that is so far behind gets no more connections while another is not. */
const MAX_BACKLOG = 64;
/** A client has long given up by then. */
const MAX_WAIT_MS = 10_000;

export interface UsherOptions {
  readonly nowMs: () => number;
  /** Connections that may wait: the system accepts them faster than workers take them, and more than workers may have is of no use. */
  readonly maxWaiting: () => number;
  readonly onDropped: (face: Face) => void;
}

/**
 * Shows each connection to a worker, in turn. Clients of a gateway keep their connections, and gRPC ones put many calls on one: whoever gets
 * an uneven share of connections has it for hours. Where no worker serves, as between a crash and the next start, connections wait.
 */
export class Usher {
  readonly #o: UsherOptions;
  #serving: readonly WorkerHandle[] = [];
  #next = 0;
  readonly #waiting: { readonly handed: HandedSocket; readonly sinceMs: number }[] = [];

  constructor(options: UsherOptions) {
    this.#o = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Those who take connections from now on. */
  showTo(workers: readonly WorkerHandle[]): void {
    this.#serving = workers;
    this.seat();
  }

  show(face: Face, socket: Socket): void {
    this.#show({ face, socket });
  }

  /** Connections that a worker did not take before it ended go to others. */
  showAgain(handed: readonly HandedSocket[]): void {
    for (const each of handed) this.#show(each);
  }

  /** Shows those who wait to workers that have room again, and drops those who waited too long. */
  seat(): void {
    const oldestMs = this.#o.nowMs() - MAX_WAIT_MS;
    while (this.#waiting.length > 0) {
      const { handed, sinceMs } = this.#waiting[0]!;
      const worker = this.#choose();
      if (worker === null && sinceMs >= oldestMs) return;
      this.#waiting.shift();
      if (worker === null) this.#drop(handed);
      else worker.hand(handed);
    }
  }

  /** Nobody will come any more. */
  close(): void {
    for (const { handed } of this.#waiting.splice(0)) this.#drop(handed);
  }

  #show(handed: HandedSocket): void {
    if (handed.socket.destroyed) return;
    const worker = this.#waiting.length > 0 ? null : this.#choose();
    if (worker !== null) worker.hand(handed);
    else if (this.#waiting.length < this.#o.maxWaiting()) this.#waiting.push({ handed, sinceMs: this.#o.nowMs() });
    else this.#drop(handed);
  }

  #choose(): WorkerHandle | null {
    const count = this.#serving.length;
    for (let i = 0; i < count; i++) {
      this.#next = (this.#next + 1) % count;
      const worker = this.#serving[this.#next]!;
      if (worker.backlog < MAX_BACKLOG) return worker;
    }
    return null;
  }

  #drop({ face, socket }: HandedSocket): void {
    socket.destroy();
    this.#o.onDropped(face);
  }
}
