import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceDurably } from './plans/durable-file.ts';

/** A small file that outlives the gateway, readable by its owner alone. */

/** Null when there is none. Throws when there is one that cannot be read, with `meaning` in the message. */
export function readKept(file: string, meaning: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new Error(`${file} cannot be read (${code}): ${meaning}. Make it readable, or remove it.`);
  }
}

/** Returns why it could not be kept, or an empty text. */
export function keep(file: string, value: unknown): string {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    replaceDurably(file, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
    return '';
  } catch (error) {
    return `${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}
