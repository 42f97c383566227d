/** A server that the benchmark brings along, in a process of its own: says its port when it listens, and its count when asked. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** From the companion. */
export type CompanionMessage =
  | { readonly is: 'listening'; readonly port: number }
  | { readonly is: 'count'; readonly count: number };
/** To the companion. */
export type CompanionOrder =
  | { readonly is: 'begin'; readonly answers: Readonly<Record<string, string>> }
  | { readonly is: 'count' };

const START_LIMIT_MS = 20_000;

export class Companion {
  readonly #child: ChildProcess;
  readonly #file: string;
  port = 0;

  /** `answers` are for the companion to know; `launcher` stands before the command line. */
  static async start(
    file: string,
    options: { readonly launcher: readonly string[]; readonly answers: Readonly<Record<string, string>> },
  ): Promise<Companion> {
    const companion = new Companion(file, options.launcher);
    companion.#order({ is: 'begin', answers: options.answers });
    const message = await companion.#next();
    if (message.is !== 'listening') throw new Error(`${file} said "${message.is}"; expected "listening".`);
    companion.port = message.port;
    return companion;
  }

  private constructor(file: string, launcher: readonly string[]) {
    this.#file = file;
    const [command, ...args] = [...launcher, process.execPath, fileURLToPath(new URL(file, import.meta.url))];
    // The companion ends when its channel closes, so it never outlives this process.
    this.#child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Requests answered so far. */
  async count(): Promise<number> {
    this.#order({ is: 'count' });
    const message = await this.#next();
    if (message.is !== 'count') throw new Error(`${this.#file} said "${message.is}"; expected "count".`);
    return message.count;
  }

  stop(): void {
    this.#child.disconnect();
  }

  #order(order: CompanionOrder): void {
    this.#child.send(order);
  }

  #next(): Promise<CompanionMessage> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`${this.#file} has ended, or has not answered within ${START_LIMIT_MS} ms.`));
      const timer = setTimeout(fail, START_LIMIT_MS);
      this.#child.once('exit', fail);
      this.#child.once('message', (message) => {
        clearTimeout(timer);
        this.#child.off('exit', fail);
        resolve(message as CompanionMessage);
      });
    });
  }
}
