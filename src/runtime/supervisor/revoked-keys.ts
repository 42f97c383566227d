import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'revoked-keys.json';

/** Ids of keys that open nothing any more, in a file that outlives the gateway. */
export class RevokedKeys {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Throws when there is a file that cannot be read: to go on would let revoked keys in. */
  read(): ReadonlySet<string> {
    const file = join(this.#dir, FILE);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return new Set();
      throw new Error(`${file} cannot be read (${code}): it names the keys that were revoked. Make it readable, or remove it.`);
    }
    const ids = idsIn(text);
    if (ids === null)
      throw new Error(`${file} does not hold {"keys": [ids]}: it names the keys that were revoked. Repair or remove it.`);
    return ids;
  }

  /** Returns why it could not be kept, or an empty text. */
  save(ids: ReadonlySet<string>): string {
    const file = join(this.#dir, FILE);
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      // Written beside and moved over: a crash leaves the old list or the new one, never half of one.
      writeFileSync(`${file}.new`, `${JSON.stringify({ keys: [...ids].sort() }, null, 2)}\n`, { mode: 0o600, flush: true });
      renameSync(`${file}.new`, file);
      return '';
    } catch (error) {
      return `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
  }
}

function idsIn(text: string): ReadonlySet<string> | null {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) && keys.every((id) => typeof id === 'string') ? new Set(keys) : null;
  } catch {
    // Not JSON: the caller says so.
    return null;
  }
}
