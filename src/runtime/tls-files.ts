import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../config/problem.ts';

/** A certificate and its key, as PEM bytes. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The same, and whose clients are let in: those whose certificate one of these authorities has signed; null lets in all. */
export interface FaceTls extends TlsPair {
  readonly clientCa: Buffer | null;
}

interface FaceFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | null;
}

/** Reads PEM files named in the config, relative to it. Throws ConfigError naming `path`. */
export class TlsFiles {
  readonly #baseDir: string;
  readonly #configFile: string;

  constructor(baseDir: string, configFile: string) {
    this.#baseDir = baseDir;
    this.#configFile = configFile;
  }

  /** Tried out, so that half of a renewal is refused and not served. */
  pair(tls: { readonly certFile: string; readonly keyFile: string } | null, path: string): TlsPair | null {
    if (tls === null) return null;
    const pair = { cert: this.read(tls.certFile, `${path}.certFile`), key: this.read(tls.keyFile, `${path}.keyFile`) };
    try {
      createSecureContext(pair);
    } catch (error) {
      const found = `found ${tls.certFile} and ${tls.keyFile}, which cannot be used (${(error as Error).message})`;
      throw new ConfigError(this.#configFile, [{ path, message: `${found}; expected a certificate and its key, as PEM` }]);
    }
    return pair;
  }

  face(tls: FaceFiles | null, path: string): FaceTls | null {
    const pair = this.pair(tls, path);
    if (tls === null || pair === null) return null;
    const { clientCaFile } = tls;
    return { ...pair, clientCa: clientCaFile === null ? null : this.#authorities(clientCaFile, `${path}.clientCaFile`) };
  }

  /** Tried out too: node:tls passes over what is no certificate, and would then let in nobody. */
  #authorities(file: string, path: string): Buffer {
    const pem = this.read(file, path);
    try {
      new X509Certificate(pem);
    } catch (error) {
      const found = `found ${file}, which cannot be used (${(error as Error).message})`;
      throw new ConfigError(this.#configFile, [{ path, message: `${found}; expected certificates of authorities, as PEM` }]);
    }
    return pem;
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
