import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ToSupervisor, ToWorker } from '../ipc/messages.ts';
import type { ProcessEnd, WorkerProcess } from '../ipc/worker-process.ts';
import { WORKER_FILE } from '../worker/worker-file.ts';

const forkWorker = (): ChildProcess =>
  fork(WORKER_FILE, [], {
    // A worker that is short of memory asks for a collection of its garbage.
    execArgv: [...process.execArgv, '--expose-gc'],
    // Structured clones: bytes, maps and whole amounts of money go over as what they are.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

/** A worker in a process of its own. It writes its log where this process does. */
export class ForkedWorker implements WorkerProcess {
  /** Null where the system has no process to give. */
  readonly #child: ChildProcess | null = null;
  readonly #refused: NodeJS.ErrnoException | null = null;

  constructor(start: () => ChildProcess = forkWorker) {
    try {
      this.#child = start();
    } catch (error) {
      // Some reasons come as an event and others, lack of memory among them, are thrown. Where one worker could not be replaced, all others
      // would end with this process.
      this.#refused = error as NodeJS.ErrnoException;
    }
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  send(message: ToWorker, socket: Socket | null): void {
    if (this.#child?.connected !== true) return;
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
    const unstarted = (error: NodeJS.ErrnoException): void => {
      if (over) return;
      heard({ is: 'failed', failure: { is: 'error', message: `The system starts no process for a worker (${error.code}).` } });
      end(1, null);
    };
    // Later, as from a process: whoever listens is not ready for an end from inside.
    if (this.#refused !== null) setImmediate(unstarted, this.#refused);
    const child = this.#child;
    child?.on('message', (message) => heard(message as ToSupervisor));
    // Not `exit`, which may come before the last words are read.
    child?.on('close', end);
    // It could not be started at all; a kill or a message that failed is no end.
    child?.on('error', (error) => child.pid === undefined && unstarted(error));
  }

  kill(): void {
    // Where none was started the system may take the missing process id for 0, which is everybody in our own group.
    if (this.#child?.pid !== undefined) this.#child.kill('SIGKILL');
  }
}
