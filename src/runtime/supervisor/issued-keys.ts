import { join } from 'node:path';
import { parseIssuedKeys } from '../../config/issued-key-schema.ts';
import type { IssuedKey } from '../ipc/messages.ts';
import { keep, readKept } from './kept-file.ts';

const FILE = 'issued-keys.json';
const MEANING = 'it holds the digests of the keys that were issued';

/** Keys that were issued over the admin port, in a file that outlives the gateway. Their secrets are nowhere. */
export class IssuedKeys {
  readonly #file: string;
  #keys: readonly IssuedKey[];

  /** Throws when there is a file that cannot be read: to go on would forget keys that their holders rely on. */
  constructor(dir: string) {
    this.#file = join(dir, FILE);
    const text = readKept(this.#file, MEANING);
    const keys = text === null ? [] : parseIssuedKeys(text);
    if (keys === null) throw new Error(`${this.#file} is no list of issued keys: ${MEANING}. Repair or remove it.`);
    this.#keys = keys;
  }

  get all(): readonly IssuedKey[] {
    return this.#keys;
  }

  /** Keeps one more, and of the others those that `isNeeded`. Returns why it could not, with nothing changed, or an empty text. */
  add(key: IssuedKey, isNeeded: (key: IssuedKey) => boolean): string {
    const next = [...this.#keys.filter(isNeeded), key];
    const problem = keep(this.#file, { keys: next });
    if (problem === '') this.#keys = next;
    return problem;
  }
}
