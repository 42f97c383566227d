/** The caller, started in a process of its own on the core that the launcher names. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallerOrder, CallerReport, CallerSetup } from './caller-order.ts';
import { VoidRow } from './row.ts';

const FILE = fileURLToPath(new URL('./caller-side.ts', import.meta.url));
const CONNECT_LIMIT_MS = 60_000;
const RUN_LIMIT_MS = 120_000;

export class Caller {
  readonly #child: ChildProcess;
  readonly #dir = mkdtempSync(join(tmpdir(), 'sluice-caller-'));

  static async start(
    setup: Omit<CallerSetup, 'is' | 'credentialsFile'> & { readonly credentials: readonly string[] },
    launcher: readonly string[],
  ): Promise<Caller> {
    const { credentials, ...rest } = setup;
    const caller = new Caller(launcher);
    const credentialsFile = join(caller.#dir, 'credentials.json');
    writeFileSync(credentialsFile, JSON.stringify(credentials), { mode: 0o600 });
    const begin: CallerSetup = { is: 'begin', credentialsFile, ...rest };
    const { connected } = (await caller.#order(begin, CONNECT_LIMIT_MS)) as { readonly connected: boolean };
    if (!connected) throw new Error(`Not all of ${setup.connections} connections to ${setup.address} have come about.`);
    return caller;
  }

  private constructor(launcher: readonly string[]) {
    const [command, ...args] = [...launcher, process.execPath, FILE];
    // It ends when its channel closes, so it never outlives this process.
    this.#child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    process.once('exit', this.#forget);
  }

  /** Rejects with VoidRow when one answer is not good, or one that was looked at not the right one. */
  async ask(order: Omit<CallerOrder, 'is'>): Promise<CallerReport> {
    const report = (await this.#order({ is: 'ask', ...order }, RUN_LIMIT_MS)) as CallerReport;
    if (report.bad > 0) throw new VoidRow(`${report.bad} of ${order.calls} answers were not good: ${report.problem}`);
    return report;
  }

  stop(): void {
    this.#child.disconnect();
    process.off('exit', this.#forget);
    this.#forget();
  }

  readonly #forget = (): void => rmSync(this.#dir, { recursive: true, force: true });

  #order(order: CallerSetup | CallerOrder, limitMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`The caller has ended, or has not answered within ${limitMs} ms.`));
      const timer = setTimeout(fail, limitMs);
      this.#child.once('exit', fail);
      this.#child.once('message', (answer) => {
        clearTimeout(timer);
        this.#child.off('exit', fail);
        resolve(answer);
      });
      this.#child.send(order);
    });
  }
}
