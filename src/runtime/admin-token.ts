import type { SecretSource } from '../config/fields.ts';
import { ConfigError } from '../config/problem.ts';
import type { Secrets } from '../config/secrets.ts';

/** Shorter tokens can be guessed; others cannot be sent in the header that the admin port reads. */
const TOKEN = /^[!-~]{16,512}$/;

/** Where a token of the admin port is read. */
export interface TokenPlace {
  readonly secrets: Secrets;
  readonly source: SecretSource;
  /** Of the source in the config. */
  readonly path: string;
  readonly configFile: string;
}

/** A token of the admin port, which its holder can really use. Throws ConfigError. */
export function readAdminToken({ secrets, source, path, configFile }: TokenPlace, generate: () => string): string {
  const token = secrets.read(source, path, generate);
  if (TOKEN.test(token)) return token;
  const message = `found a text of ${token.length} characters; expected 16 to 512 visible ASCII characters without spaces`;
  throw new ConfigError(configFile, [{ path, message }]);
}
