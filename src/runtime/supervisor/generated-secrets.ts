import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'secrets.json';

/** Secrets made at start for a demo on loopback: kept in memory, and in one 0600 file so that the CLI and the demo find them. */
export class GeneratedSecrets {
  readonly #values = new Map<string, string>();
  #file = '';

  /** `name` says what it is for, as `admin.token` or `key.demo.demo0001`. */
  add(name: string, value: string): string {
    this.#values.set(name, value);
    return value;
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  get entries(): readonly (readonly [string, string])[] {
    return [...this.#values];
  }

  /** Writes them below `dir`, with `facts` beside them. Returns why it could not, or an empty text: memory is enough to go on. */
  save(dir: string, facts: Readonly<Record<string, unknown>>): string {
    if (this.#values.size === 0) return '';
    const file = join(dir, FILE);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // An older file may have kept wider rights: it goes first, since `mode` is for new files only.
      rmSync(file, { force: true });
      writeFileSync(
        file,
        `${JSON.stringify({ pid: process.pid, ...facts, secrets: Object.fromEntries(this.#values) }, null, 2)}\n`,
        {
          mode: 0o600,
          flag: 'wx',
        },
      );
    } catch (error) {
      return `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
    this.#file = file;
    return '';
  }

  /** Removes the file: its secrets die with the process. Another gateway's, written since to the same place, stays. */
  forget(): void {
    if (this.#file === '') return;
    try {
      const { pid } = JSON.parse(readFileSync(this.#file, 'utf8')) as { pid: number };
      if (pid === process.pid) rmSync(this.#file, { force: true });
    } catch {
      // Gone or rewritten by hand: there is nothing of ours left to remove.
    }
    this.#file = '';
  }
}
