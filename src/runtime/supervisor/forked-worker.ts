import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ToSupervisor, ToWorker } from '../ipc/messages.ts';
import type { ProcessEnd, WorkerProcess } from '../ipc/worker-process.ts';
import { WORKER_FILE } from '../worker/worker-file.ts';

/** A worker in a process of its own. It writes its log where this process does. */
export class ForkedWorker implements WorkerProcess {
  readonly #child: ChildProcess;

  constructor() {
    // Structured clones: bytes, maps and whole amounts of money go over as what they are.
    this.#child = fork(WORKER_FILE, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: ToWorker, socket: Socket | null): void {
    if (!this.#child.connected) return;
    // The callback takes the error of a pipe that has just closed; without it that would be thrown.
    if (socket === null) this.#child.send(message, () => undefined);
    else this.#child.send(message, socket, { keepOpen: true }, () => undefined);
  }

  listen(heard: (message: ToSupervisor) => void, ended: (end: ProcessEnd) => void): void {
    let over = false;
    const end = (code: number | null, signal: string | null): void => {
      if (over) return;
      over = true;
      ended({ code, signal: signal ?? '' });
    };
    this.#child.on('message', (message) => heard(message as ToSupervisor));
    // Not `exit`, which may come before the last words are read.
    this.#child.on('close', end);
    // It could not be started at all; a kill or a message that failed is no end.
    this.#child.on('error', () => this.#child.pid === undefined && end(1, null));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
