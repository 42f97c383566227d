import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { GrpcEngine } from '../../../src/wire/grpc/open-channel.ts';

/** A process that runs wire-server.ts. */
export class WireServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  static async start(this: void, engine: GrpcEngine, secure = false): Promise<WireServerProcess> {
    const child = fork(join(import.meta.dirname, 'wire-server.ts'), [engine, secure ? 'tls' : 'plain']);
    const { port } = await nextOf<{ port: number }>(child);
    return new WireServerProcess(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Calls that have begun and not closed. */
  async open(): Promise<number> {
    this.#child.send('open');
    return (await nextOf<{ open: number }>(this.#child)).open;
  }

  /** Microseconds of processor time so far. */
  async cpuUs(): Promise<number> {
    this.#child.send('cpu');
    const { user, system } = await nextOf<NodeJS.CpuUsage>(this.#child);
    return user + system;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

function nextOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null): void => reject(new Error(`The server has ended with code ${code}.`));
    child.once('exit', fail);
    child.once('message', (message) => {
      child.off('exit', fail);
      resolve(message as T);
    });
  });
}
