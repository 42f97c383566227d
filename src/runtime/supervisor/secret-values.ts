import { randomBytes } from 'node:crypto';
import { mintKey } from '../../auth/api-key.ts';
import type { SecretSource } from '../../config/fields.ts';
import { ConfigError } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';
import type { Secrets } from '../../config/secrets.ts';
import { sequenceSecret } from '../sequence-secret.ts';
import type { GeneratedSecrets } from './generated-secrets.ts';

const ADMIN_TOKEN = 'listen.admin.token';
/** Shorter tokens can be guessed. */
const MIN_TOKEN_CHARS = 16;

/** Every secret of a config, read once. */
export interface SecretValues {
  readonly adminToken: string;
  /** By the path of their source in the config: what workers need. */
  readonly byPath: ReadonlyMap<string, string>;
}

/** Reads them all, and makes those that config asks for; one made before stays what it is. Throws ConfigError. */
export function readSecrets(
  config: Config,
  sources: { readonly secrets: Secrets; readonly generated: GeneratedSecrets; readonly configFile: string },
): SecretValues {
  const { secrets, generated, configFile } = sources;
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
  byPath.set('sequences.secret', sequenceSecret(config, secrets, configFile).toString());
  return { adminToken: adminToken(config, secrets, generated, configFile), byPath };
}

function adminToken(config: Config, secrets: Secrets, generated: GeneratedSecrets, configFile: string): string {
  const token = secrets.read(
    config.listen.admin.token,
    ADMIN_TOKEN,
    () => generated.get('admin.token') ?? generated.add('admin.token', `sla_${randomBytes(32).toString('base64url')}`),
  );
  if (token.length >= MIN_TOKEN_CHARS) return token;
  const message = `found ${token.length} characters; expected at least ${MIN_TOKEN_CHARS} that nobody can guess`;
  throw new ConfigError(configFile, [{ path: ADMIN_TOKEN, message }]);
}

function unknownToServer(path: string): never {
  throw new Error(`${path}: a generated secret is unknown to the server; use env or file`);
}
