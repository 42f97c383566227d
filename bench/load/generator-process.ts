/** The generator, started in a process of its own on the core that the launcher names. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './load-order.ts';

const FILE = fileURLToPath(new URL('./generator.ts', import.meta.url));
/** Beyond the length of the load itself. */
const EXTRA_MS = 30_000;

export class GeneratorProcess {
  readonly #child: ChildProcess;

  constructor(launcher: readonly string[]) {
    const [command, ...args] = [...launcher, process.execPath, FILE];
    // It ends when its channel closes, so it never outlives this process.
    this.#child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  run(order: LoadOrder): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('The load generator has ended, or has not reported in time.'));
      const timer = setTimeout(fail, order.seconds * 1000 + EXTRA_MS);
      this.#child.once('exit', fail);
      this.#child.once('message', (report) => {
        clearTimeout(timer);
        this.#child.off('exit', fail);
        resolve(report as LoadReport);
      });
      this.#child.send(order);
    });
  }

  stop(): void {
    this.#child.disconnect();
  }
}
