import { createHash, randomBytes } from 'node:crypto';
import { mintKey } from '../../auth/api-key.ts';
import { FIRST_TOKEN } from '../../config/admin-token-schema.ts';
import type { SecretSource } from '../../config/fields.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { ConfigError } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';
import { SecretReader, type Secrets } from '../../config/secrets.ts';
import type { AdminHolder } from '../../core/admin-access.ts';
import { readAdminToken } from '../admin-token.ts';
import { sequenceSecret } from '../sequence-secret.ts';
import { TlsFiles, type TlsPair } from '../tls-files.ts';
import type { GeneratedSecrets } from './generated-secrets.ts';

type Env = Readonly<Record<string, string | undefined>>;

const ADMIN_TOKEN = 'listen.admin.token';

/** Every secret of a config, and what goes with them, read once. */
export interface SecretValues {
  /** Holders of tokens of the admin port. */
  readonly admins: readonly AdminHolder[];
  /** By the path of their source in the config: what workers need. */
  readonly byPath: ReadonlyMap<string, string>;
  /** Of the webhooks, in their order; empty where one has none. No worker needs them. */
  readonly webhooks: readonly string[];
  /** Certificate and key of the admin port; null for plaintext. */
  readonly adminTls: TlsPair | null;
}

/** Reads them all, and makes those that config asks for; one made before stays what it is. Throws ConfigError. */
export function readSecrets({ config, file, baseDir }: LoadedConfig, env: Env, generated: GeneratedSecrets): SecretValues {
  const secrets = new SecretReader({ baseDir, file, env });
  const byPath = new Map<string, string>();
  const read = (source: SecretSource, path: string, name: string, make: () => string): void => {
    byPath.set(
      path,
      secrets.read(source, path, () => generated.get(name) ?? generated.add(name, make())),
    );
  };
  config.tenants.forEach((tenant, t) => {
    tenant.keys.forEach((key, k) => {
      if (!('secret' in key)) return;
      const path = `tenants.${t}.keys.${k}.secret`;
      read(key.secret, path, `key.${tenant.id}.${key.id}`, () => mintKey('demo', key.id).key);
    });
  });
  for (const [model, { variants }] of Object.entries(config.models)) {
    variants.forEach(({ backend }, v) => {
      if (backend.kind === 'onnx' || backend.credential === null) return;
      const path = `models.${model}.variants.${v}.backend.credential`;
      read(backend.credential, path, path, () => unknownToServer(path));
    });
  }
  byPath.set('sequences.secret', sequenceSecret(config, secrets, file).toString());
  const webhooks = config.rollouts.webhooks.map(({ secret }, w) => {
    const path = `rollouts.webhooks.${w}.secret`;
    return secret === null ? '' : secrets.read(secret, path, () => unknownToServer(path));
  });
  const adminTls = new TlsFiles(baseDir, file).pair(config.listen.admin.tls, 'listen.admin.tls');
  return { admins: adminHolders(config, secrets, generated, file), byPath, webhooks, adminTls };
}

function adminHolders(config: Config, secrets: Secrets, generated: GeneratedSecrets, configFile: string): AdminHolder[] {
  const { token: first, tokens } = config.listen.admin;
  const read = (source: SecretSource, path: string, name: string): Uint8Array => {
    const make = (): string => generated.get(name) ?? generated.add(name, `sla_${randomBytes(32).toString('base64url')}`);
    return createHash('sha256').update(readAdminToken({ secrets, source, path, configFile }, make)).digest();
  };
  const owner = { name: FIRST_TOKEN, role: 'owner', sha256: read(first, ADMIN_TOKEN, 'admin.token'), expiresMs: Infinity };
  const holders: AdminHolder[] = [owner];
  tokens.forEach((token, t) => {
    const path = `listen.admin.tokens.${t}`;
    const { name, role, expires } = token;
    const sha256 =
      'sha256' in token ? Buffer.from(token.sha256, 'hex') : read(token.secret, `${path}.secret`, `admin.token.${name}`);
    // Of two holders with one token nobody could say which one it was.
    const other = holders.find((holder) => Buffer.compare(holder.sha256, sha256) === 0);
    if (other !== undefined) {
      const message = `found the token of "${other.name}"; expected one of its own`;
      throw new ConfigError(configFile, [{ path, message }]);
    }
    holders.push({ name, role, sha256, expiresMs: expires === null ? Infinity : Date.parse(expires) });
  });
  return holders;
}

function unknownToServer(path: string): never {
  throw new Error(`${path}: a generated secret is unknown to the server; use env or file`);
}
