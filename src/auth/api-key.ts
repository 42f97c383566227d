import { hash, randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { base62, base62Of32 } from './base62.ts';

/**
 * API keys: `sl_<env>_<id>_<secret>_<checksum>`.
 *
 *   sl_live_k3v9x0qa_<43 characters: 32 random bytes in base 62>_<6 characters: CRC-32 of all before, in base 62>
 *
 * The id is public. The checksum lets a typing error, or text that is no key at all, be refused before anything is looked up.
 */

const SECRET_BYTES = 32;
const SECRET_CHARS = 43;
const CHECKSUM_CHARS = 6;
const ID_CHARS = 8;
const ENV_CHARS_MAX = 16;
/** From the end of the key, so that nothing has to be searched for. */
const ID_END_FROM_END = CHECKSUM_CHARS + 1 + SECRET_CHARS + 1;
const KEY_CHARS_MAX = 'sl_'.length + ENV_CHARS_MAX + 1 + ID_CHARS + ID_END_FROM_END;

const ENV = /^[a-z0-9]{1,16}$/;
const ID = /^[a-z0-9]{8}$/;
const KEY = /^sl_[a-z0-9]{1,16}_[a-z0-9]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/;
const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A new key, shown once, and what config keeps of it. */
export interface MintedKey {
  readonly key: string;
  readonly id: string;
  /** SHA-256 of the whole key in hexadecimal digits. */
  readonly sha256: string;
}

/** Makes a key with a new secret: under the id of an old key for rotation, else under a new id. */
export function mintKey(env: string, id: string = newId()): MintedKey {
  if (!ENV.test(env))
    throw new Error(`environment "${env}" cannot stand in a key: expected 1 to 16 lower-case letters or digits`);
  if (!ID.test(id)) throw new Error(`id "${id}" cannot stand in a key: expected 8 lower-case letters or digits`);
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_CHARS);
  const body = `sl_${env}_${id}_${secret}`;
  const key = `${body}_${checksum(body)}`;
  return { key, id, sha256: sha256Of(key).toString('hex') };
}

/** The public part of a well-formed key; null for any other text, whatever its length. @hot */
export function parseKey(text: string): { id: string } | null {
  if (text.length > KEY_CHARS_MAX || !KEY.test(text)) return null;
  const bodyEnd = text.length - CHECKSUM_CHARS - 1;
  if (checksum(text.slice(0, bodyEnd)) !== text.slice(bodyEnd + 1)) return null;
  const idEnd = text.length - ID_END_FROM_END;
  return { id: text.slice(idEnd - ID_CHARS, idEnd) };
}

/** A fast hash is enough: the secret has 256 random bits, so there is nothing to guess. @hot */
export function sha256Of(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

function checksum(body: string): string {
  return base62Of32(crc32(body), CHECKSUM_CHARS);
}

function newId(): string {
  let id = '';
  for (let i = 0; i < ID_CHARS; i++) id += ID_ALPHABET[randomInt(ID_ALPHABET.length)]!;
  return id;
}
