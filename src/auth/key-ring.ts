import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Identity, Principal, Proof, Tenant } from '../core/tenant.ts';
import { parseKey, sha256Of } from './api-key.ts';
import { KeyPrincipal } from './key-principal.ts';

/** One key as config states it. */
export interface KeyEntry {
  readonly id: string;
  /** SHA-256 of the whole key. */
  readonly sha256: Buffer;
  readonly scopes: readonly string[];
  /** Models the key may use; `*` is every model. */
  readonly models: readonly string[];
  /** Wall clock; null for a key that does not expire. */
  readonly expiresMs: number | null;
  readonly tenant: Tenant;
}

/** A key that was issued while the gateway runs. */
export interface IssuedEntry extends Omit<KeyEntry, 'tenant'> {
  readonly tenant: string;
}

interface Lock {
  /** Of the key; empty in a lock that no key opens. */
  readonly id: string;
  readonly sha256: Buffer;
  readonly expiresMs: number;
  /** Null in a lock that no key opens. */
  readonly principal: Principal | null;
}

const DIGEST_BYTES = 32;
/** An old and a new secret while a key is rotated, with room for some that have expired but still stand in config. */
const SECRETS_PER_ID_MAX = 4;

/**
 * All API keys. Every well-formed key that comes without proof costs one digest and the same number of comparisons, whether its id is known
 * or not: each id has as many locks as the one with the most, filled up with locks that nothing opens. So time tells nobody which ids exist.
 */
export class KeyRing implements Identity {
  readonly #locks = new Map<string, readonly Lock[]>();
  /** Stands in for the locks of an unknown id. */
  readonly #closed: readonly Lock[];
  readonly #tenants = new Map<string, Tenant>();
  /** Ids whose every secret opens nothing any more, whatever config says. */
  readonly #revoked = new Set<string>();

  /** Throws when two entries contradict each other. */
  constructor(entries: readonly KeyEntry[]) {
    const byId = Map.groupBy(entries, (entry) => entry.id);
    let width = 1;
    for (const [id, same] of byId) {
      refuseContradictions(id, same);
      width = Math.max(width, same.length);
    }
    for (const [id, same] of byId) this.#locks.set(id, filledUp(same.map(lockOf), width));
    for (const { tenant } of entries) this.#tenants.set(tenant.id, tenant);
    this.#closed = filledUp([], width);
  }

  /** @hot */
  identify(credential: string, wallMs: number, proof: Proof | null = null): Principal | null {
    const lock = proof !== null && proof.by === this ? (proof.of as Lock) : this.#unlock(credential);
    if (lock === null) return null;
    if (proof !== null && proof.by !== this) {
      proof.by = this;
      proof.of = lock;
    }
    return wallMs >= lock.expiresMs || this.#revoked.has(lock.id) ? null : lock.principal;
  }

  /** The lock that the credential opens. */
  #unlock(credential: string): Lock | null {
    const parsed = parseKey(credential);
    if (parsed === null) return null;
    const sha256 = sha256Of(credential);
    const locks = this.#locks.get(parsed.id) ?? this.#closed;
    let opened: Lock | null = null;
    // No way out of the loop: each lock is tried, so that the time does not depend on which one opens.
    for (let i = 0; i < locks.length; i++) {
      if (timingSafeEqual(locks[i]!.sha256, sha256)) opened = locks[i]!;
    }
    return opened;
  }

  revoke(id: string): void {
    this.#revoked.add(id);
  }

  /** Lets one more key in. Where there is a key of its id already, or no such tenant, what config says stays. */
  add(entry: IssuedEntry): void {
    const tenant = this.#tenants.get(entry.tenant);
    if (tenant === undefined || this.#locks.has(entry.id)) return;
    this.#locks.set(entry.id, filledUp([lockOf({ ...entry, tenant })], this.#closed.length));
  }
}

function refuseContradictions(id: string, entries: readonly KeyEntry[]): void {
  const fail = (problem: string): never => {
    throw new Error(`API key "${id}": ${problem}`);
  };
  if (entries.length > SECRETS_PER_ID_MAX) {
    fail(
      `stands ${entries.length} times in the config, expected at most ${SECRETS_PER_ID_MAX}; take out those that have expired`,
    );
  }
  const seen = new Set<string>();
  for (const entry of entries) {
    const tenant = entries[0]!.tenant.id;
    if (entry.tenant.id !== tenant) fail(`belongs to "${tenant}" and to "${entry.tenant.id}"; give each tenant an id of its own`);
    if (entry.sha256.length !== DIGEST_BYTES)
      fail(`its digest has ${entry.sha256.length} bytes, expected the ${DIGEST_BYTES} of SHA-256`);
    const digest = entry.sha256.toString('hex');
    if (seen.has(digest)) fail('stands in the config twice with the same digest; take one out');
    seen.add(digest);
  }
}

function lockOf(entry: KeyEntry): Lock {
  return {
    id: entry.id,
    sha256: entry.sha256,
    expiresMs: entry.expiresMs ?? Infinity,
    principal: new KeyPrincipal(entry.tenant, entry.id, entry.scopes, entry.models),
  };
}

function filledUp(locks: readonly Lock[], width: number): readonly Lock[] {
  const closed = Array.from({ length: width - locks.length }, () => ({
    id: '',
    sha256: randomBytes(DIGEST_BYTES),
    expiresMs: 0,
    principal: null,
  }));
  return [...locks, ...closed];
}
