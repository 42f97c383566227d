import { randomBytes } from 'node:crypto';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';

const PATH = 'sequences.secret';
const SECRET_BYTES = 32;
/** Shorter ones can be tried out by whoever runs a backend and sees the names. */
const MIN_CHARACTERS = 32;

/** The key under which sequences get their names; made at start where config names none. Throws ConfigError for a short one. */
export function sequenceSecret(config: Config, secrets: Secrets, configFile: string): Buffer {
  const source = config.sequences.secret;
  const generate = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const secret = source === null ? generate() : secrets.read(source, PATH, generate);
  if (secret.length < MIN_CHARACTERS) {
    const message = `found ${secret.length} characters; expected at least ${MIN_CHARACTERS}, as openssl rand -base64 32 prints`;
    throw new ConfigError(configFile, [{ path: PATH, message }]);
  }
  return Buffer.from(secret);
}
