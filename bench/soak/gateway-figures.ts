/** What gateway-probe.ts writes down in the gateway, read from outside. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Figures {
  /** Heap and external memory together. */
  readonly keptBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Objects of the engine by their class. */
  readonly live: Readonly<Record<string, number>>;
  /** What keeps the process alive, by its kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/** A call of the gateway's own, as it asks whether a server is ready, is over by the next look. */
const LOOKS = 5;
/** These live as long as a call. */
export const OF_CALLS = ['UnaryStream', 'BidiStream', 'UnaryH2Call', 'StreamedH2Call'] as const;
const PAUSE_MS = 100;
const LIMIT_MS = 60_000;

export class GatewayProbe {
  readonly #dir = mkdtempSync(join(tmpdir(), 'sluice-soak-'));

  /** What makes a gateway load it. */
  get env(): Readonly<Record<string, string>> {
    const file = fileURLToPath(new URL('./gateway-probe.ts', import.meta.url));
    return { NODE_OPTIONS: `--import ${file}`, SLUICE_SOAK_DIR: this.#dir };
  }

  /** What is there when all calls have ended: looked at again where some have not. */
  async read(pid: number): Promise<Figures> {
    let figures = await this.#look(pid);
    for (let i = 1; i < LOOKS && OF_CALLS.some((name) => figures.live[name] !== 0); i++) figures = await this.#look(pid);
    return figures;
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #look(pid: number): Promise<Figures> {
    const file = join(this.#dir, `${pid}.jsonl`);
    const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
    const before = lines().length;
    process.kill(pid, 'SIGUSR2');
    const limit = Date.now() + LIMIT_MS;
    for (let now = lines(); ; now = lines()) {
      if (now.length > before) return JSON.parse(now.at(-1)!) as Figures;
      if (Date.now() > limit) throw new Error(`The gateway's worker ${pid} has told no figures within ${LIMIT_MS} ms.`);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}
