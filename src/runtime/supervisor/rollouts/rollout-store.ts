import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RolloutRecord, recordIn } from './rollout-record.ts';

const FOLDER = 'rollouts';
const ENDING = '.json';

export interface StoredRollouts {
  readonly records: readonly RolloutRecord[];
  /** Why not all could be read; empty when all were. */
  readonly problem: string;
}

/** Where rollouts outlive the process. */
export interface RolloutStore {
  read(): StoredRollouts;
  /** Returns why it could not be kept, or an empty text. */
  save(record: RolloutRecord): string;
  remove(id: string): void;
}

/** One file for each rollout, replaced as a whole. */
export class FileRolloutStore implements RolloutStore {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, FOLDER);
  }

  read(): StoredRollouts {
    const records: RolloutRecord[] = [];
    let problem = '';
    let names: string[];
    try {
      names = readdirSync(this.#dir).filter((name) => name.endsWith(ENDING));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { records, problem: code === 'ENOENT' ? '' : `${this.#dir} cannot be read (${code}): make it readable` };
    }
    for (const name of names) {
      const file = join(this.#dir, name);
      const record = readOne(file);
      if (typeof record !== 'string') records.push(record);
      else if (problem === '') problem = record;
    }
    return { records, problem };
  }

  save(record: RolloutRecord): string {
    const file = join(this.#dir, `${record.id}${ENDING}`);
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      // Written beside and moved over: a crash leaves the old record or the new one, never half of one.
      writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600, flush: true });
      renameSync(`${file}.new`, file);
      this.#flushNames();
      return '';
    } catch (error) {
      removed(`${file}.new`);
      return `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
  }

  remove(id: string): void {
    // What cannot be removed is over and no more than history: whoever reads it again at the next start forgets it then.
    removed(join(this.#dir, `${id}${ENDING}`));
  }

  /** The new name of a file is in its folder, which has to reach the disk as well. */
  #flushNames(): void {
    const folder = openSync(this.#dir, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** As far as that can be had: `force` does not forgive a folder that is none. */
function removed(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Nobody reads what is left.
  }
}

function readOne(file: string): RolloutRecord | string {
  try {
    return recordIn(readFileSync(file, 'utf8')) ?? `${file} holds no rollout of this version: repair or remove it`;
  } catch (error) {
    return `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): make it readable, or remove it`;
  }
}
