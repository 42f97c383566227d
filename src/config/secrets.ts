import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SecretSource } from './fields.ts';
import { ConfigError } from './problem.ts';

/** Where the values of secrets come from. */
export interface Secrets {
  /** `generate` makes the value where the config asks for one made at start. Throws ConfigError naming `path`. */
  read(source: SecretSource, path: string, generate: () => string): string;
}

/** Reads secrets from where the config says they are. A value is never kept here, logged or put into a message. */
export class SecretReader implements Secrets {
  readonly #baseDir: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #file: string;

  constructor(options: {
    readonly baseDir: string;
    readonly file: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  }) {
    this.#baseDir = options.baseDir;
    this.#file = options.file;
    this.#env = options.env;
  }

  read(source: SecretSource, path: string, generate: () => string): string {
    if ('generate' in source) return generate();
    const value = 'env' in source ? this.#env[source.env] : this.#readFile(source.file, path);
    if (value === undefined || value.trim() === '') {
      const where = 'env' in source ? `environment variable ${source.env}` : `file ${source.file}`;
      throw new ConfigError(this.#file, [{ path, message: `found no value; expected ${where} to hold the secret` }]);
    }
    return value.trim();
  }

  #readFile(file: string, path: string): string {
    try {
      return readFileSync(resolve(this.#baseDir, file), 'utf8');
    } catch (error) {
      throw new ConfigError(this.#file, [
        { path, message: `file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}` },
      ]);
    }
  }
}
