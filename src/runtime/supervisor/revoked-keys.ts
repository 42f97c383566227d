import { join } from 'node:path';
import { keep, readKept } from './kept-file.ts';

const FILE = 'revoked-keys.json';
const MEANING = 'it names the keys that were revoked';

/** Ids of keys that open nothing any more, in a file that outlives the gateway. */
export class RevokedKeys {
  readonly #file: string;

  constructor(dir: string) {
    this.#file = join(dir, FILE);
  }

  /** Throws when there is a file that cannot be read: to go on would let revoked keys in. */
  read(): ReadonlySet<string> {
    const text = readKept(this.#file, MEANING);
    if (text === null) return new Set();
    const ids = idsIn(text);
    if (ids === null) throw new Error(`${this.#file} does not hold {"keys": [ids]}: ${MEANING}. Repair or remove it.`);
    return ids;
  }

  /** Returns why it could not be kept, or an empty text. */
  save(ids: ReadonlySet<string>): string {
    return keep(this.#file, { keys: [...ids].sort() });
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
