import type { Principal, Tenant } from '../core/tenant.ts';

const EVERY_MODEL = '*';

/** Who calls with an API key; made when config is compiled and shared by all requests with the key. */
export class KeyPrincipal implements Principal {
  readonly tenant: Tenant;
  readonly keyId: string;
  readonly scopes: ReadonlySet<string>;
  /** Null for every model. */
  readonly #models: ReadonlySet<string> | null;

  constructor(tenant: Tenant, keyId: string, scopes: readonly string[], models: readonly string[]) {
    this.tenant = tenant;
    this.keyId = keyId;
    this.scopes = new Set(scopes);
    this.#models = models.includes(EVERY_MODEL) ? null : new Set(models);
  }

  /** @hot */
  allows(model: string): boolean {
    return this.#models === null || this.#models.has(model);
  }
}
