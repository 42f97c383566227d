import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../config/problem.ts';

/** A certificate and its key, as PEM bytes. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads PEM files named in the config, relative to it. Throws ConfigError naming `path`. */
export class TlsFiles {
  readonly #baseDir: string;
  readonly #configFile: string;

  constructor(baseDir: string, configFile: string) {
    this.#baseDir = baseDir;
    this.#configFile = configFile;
  }

  pair(tls: { readonly certFile: string; readonly keyFile: string } | null, path: string): TlsPair | null {
    if (tls === null) return null;
    return { cert: this.read(tls.certFile, `${path}.certFile`), key: this.read(tls.keyFile, `${path}.keyFile`) };
  }

  read(file: string, path: string): Buffer {
    try {
      return readFileSync(resolve(this.#baseDir, file));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new ConfigError(this.#configFile, [
        { path, message: `found ${file}, which cannot be read (${code}); expected a PEM file` },
      ]);
    }
  }
}
