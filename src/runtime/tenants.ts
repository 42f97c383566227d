import { mintKey, parseKey, sha256Of } from '../auth/api-key.ts';
import { type KeyEntry, KeyRing } from '../auth/key-ring.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { ApiKeyConfig } from '../config/tenant-schema.ts';
import type { Tenant } from '../core/tenant.ts';
import type { BucketId, CapId } from '../core/units.ts';
import { LocalByteBudget } from '../limits/byte-budget.ts';
import type { IssuedKey } from './ipc/messages.ts';
import type { Leases } from './leases.ts';

export interface TenancySources {
  readonly secrets: Secrets;
  readonly configFile: string;
}

/** The keys of all tenants. Each tenant has one rate bucket and one cap, by its place in config; all its keys draw from them. */
export function buildKeys(config: Config, sources: TenancySources, leases: Leases): KeyRing {
  const entries: KeyEntry[] = [];
  config.tenants.forEach((tenantConfig, t) => {
    const bucket = t as BucketId;
    const { requestsPerSecond, burst } = tenantConfig.rate;
    leases.limiter.configure(bucket, requestsPerSecond, burst);
    const tenant: Tenant = {
      id: tenantConfig.id,
      buckets: [bucket],
      ratePerSecond: requestsPerSecond,
      burst,
      priority: tenantConfig.priority,
      concurrency: leases.caps.cap(t as CapId, tenantConfig.maxInFlight),
      bytes: new LocalByteBudget(tenantConfig.maxInFlightBytes),
    };
    tenantConfig.keys.forEach((key, k) => {
      const digest = digestOf(key, `tenants.${t}.keys.${k}`, sources);
      const expiresMs = key.expires === null ? null : Date.parse(key.expires);
      entries.push({ id: key.id, sha256: digest, scopes: key.scopes, models: key.models, expiresMs, tenant });
    });
  });
  return new KeyRing(entries);
}

/** A key that was issued since the config was written. */
export function addIssued(keys: KeyRing, { id, tenant, sha256, scopes, models, expires }: IssuedKey): void {
  const expiresMs = expires === null ? null : Date.parse(expires);
  keys.add({ id, tenant, sha256: Buffer.from(sha256, 'hex'), scopes, models, expiresMs });
}

function digestOf(key: ApiKeyConfig, path: string, sources: TenancySources): Buffer {
  if ('sha256' in key) return Buffer.from(key.sha256, 'hex');
  const secret = sources.secrets.read(key.secret, `${path}.secret`, () => mintKey('demo', key.id).key);
  const parsed = parseKey(secret);
  if (parsed === null || parsed.id !== key.id) {
    throw new ConfigError(sources.configFile, [
      {
        path: `${path}.secret`,
        message: `found a value that is no key with the id "${key.id}"; make one with: sluice keys new --id ${key.id}`,
      },
    ]);
  }
  return sha256Of(secret);
}
