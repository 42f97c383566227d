import { mintKey } from '../../auth/api-key.ts';
import type { Config } from '../../config/schema.ts';
import type {
  AccessControl,
  IssueResult,
  KeyIssue,
  KeyRevocation,
  KeyView,
  RevokeResult,
  TenantView,
} from '../../core/access.ts';
import type { IssuedKey } from '../ipc/messages.ts';
import { type AuditLog, recorded } from './audit-log.ts';
import type { Fleet } from './fleet.ts';
import type { IssuedKeys } from './issued-keys.ts';
import type { TruthBook } from './truth-book.ts';

export interface AccessDeskOptions {
  readonly fleet: Pick<Fleet, 'broadcast'>;
  readonly audit: AuditLog;
  /** Another after a reload. */
  readonly config: () => Config;
  readonly book: () => Pick<TruthBook, 'revokedKeys' | 'revoke'>;
  readonly issued: IssuedKeys;
  /** Keeps what the book has revoked. Returns why it could not, or an empty text. */
  readonly saveRevoked: () => string;
  readonly wallMs: () => number;
}

/** The ids of what the config states. */
interface Stated {
  readonly tenants: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

/** Names that a refusal lists of each kind. */
const MAX_NAMES = 20;

/** Tenants and their keys: those of the config, and those that were issued since. */
export class AccessDesk implements AccessControl {
  readonly #o: AccessDeskOptions;

  constructor(options: AccessDeskOptions) {
    this.#o = options;
  }

  tenants(): readonly TenantView[] {
    const active = new Map<string, number>();
    for (const { tenant, state } of this.keys()) {
      if (state === 'active') active.set(tenant, (active.get(tenant) ?? 0) + 1);
    }
    return this.#o.config().tenants.map(({ id, rate, priority, maxInFlight, maxInFlightBytes }) => ({
      id,
      requestsPerSecond: rate.requestsPerSecond,
      burst: rate.burst,
      priority,
      maxInFlight,
      maxInFlightBytes,
      keys: active.get(id) ?? 0,
    }));
  }

  keys(): readonly KeyView[] {
    const { tenants } = this.#o.config();
    const configured = tenants.flatMap(({ id: tenant, keys }) =>
      keys.map(({ id, scopes, models, expires }) => {
        const state = this.#stateOf(id, expires);
        return { id, tenant, scopes, models, expires, state, source: 'config' as const, issuedBy: '', issuedAt: '' };
      }),
    );
    const stated = this.#stated();
    return [...configured, ...this.#o.issued.all.map((key) => this.#viewOf(key, stated))];
  }

  async issue(issue: KeyIssue): Promise<IssueResult> {
    const config = this.#o.config();
    const refusal = this.#refusalOf(issue, config);
    if (refusal !== null) return refusal;
    const { minted, key } = this.#mint(issue);
    const stated = this.#stated();
    const view = this.#viewOf(key, stated);
    if (issue.dryRun) return { is: 'preview', view };
    const record = { action: 'key.issue', actor: issue.actor, model: '', before: null, reason: issue.reason };
    const problem = recorded(this.#o.audit, { ...record, after: withoutDigest(key) });
    if (problem !== '') return { is: 'unaudited', problem };
    const unkept = this.#o.issued.add(key, (other) => this.#opens(other, stated));
    if (unkept !== '') {
      // The record said more than has happened.
      recorded(this.#o.audit, { ...record, action: 'key.issue.failed', after: { key: key.id, problem: unkept } });
      return { is: 'unkept', problem: unkept };
    }
    const { reached } = await this.#o.fleet.broadcast('issue', key, config.supervision.acknowledgeTimeoutMs);
    return { is: 'applied', key: minted, view, workers: reached };
  }

  async revoke({ keyId, actor, reason, dryRun }: KeyRevocation): Promise<RevokeResult> {
    const { fleet, audit, book, saveRevoked, config } = this.#o;
    if (!this.keys().some(({ id }) => id === keyId)) return { is: 'unknown' };
    const revoked = book().revokedKeys.has(keyId);
    if (dryRun) return { is: 'preview', revoked };
    const problem = recorded(audit, {
      action: 'key.revoke',
      actor,
      model: '',
      before: { key: keyId, revoked },
      after: { key: keyId, revoked: true },
      reason,
    });
    if (problem !== '') return { is: 'unaudited', problem };
    book().revoke(keyId);
    const unkept = saveRevoked();
    const { reached } = await fleet.broadcast('revoke', keyId, config().supervision.acknowledgeTimeoutMs);
    return { is: 'applied', workers: reached, unkept };
  }

  /** Null when it may be issued. */
  #refusalOf({ tenant, models, expires }: KeyIssue, config: Config): IssueResult | null {
    const tenants = config.tenants.map(({ id }) => id);
    if (!tenants.includes(tenant)) return { is: 'unknown', tenants };
    const unknown = models.filter((model) => model !== '*' && !Object.hasOwn(config.models, model));
    const problems = unknown.length === 0 ? [] : [unknownModels(unknown, Object.keys(config.models))];
    if (expires !== null && Date.parse(expires) <= this.#o.wallMs()) {
      problems.push(`expires: found ${expires}, which is over; expected a time to come`);
    }
    if (problems.length > 0) return { is: 'invalid', problems };
    const max = config.listen.admin.maxIssuedKeys;
    const stated = this.#stated();
    return this.#o.issued.all.filter((key) => this.#opens(key, stated)).length < max ? null : { is: 'full', max };
  }

  /** Under an id that nothing has had: a revoked one stays revoked. */
  #mint({ tenant, env, scopes, models, expires, actor }: KeyIssue): { minted: string; key: IssuedKey } {
    const taken = new Set([...this.#o.book().revokedKeys, ...this.keys().map(({ id }) => id)]);
    let minted = mintKey(env);
    while (taken.has(minted.id)) minted = mintKey(env);
    const { id, sha256 } = minted;
    const issuedAt = new Date(this.#o.wallMs()).toISOString();
    return { minted: minted.key, key: { id, tenant, sha256, scopes, models, expires, issuedBy: actor, issuedAt } };
  }

  /** Looked up for each issued key, and there may be thousands of both. */
  #stated(): Stated {
    const { tenants } = this.#o.config();
    return {
      tenants: new Set(tenants.map(({ id }) => id)),
      keys: new Set(tenants.flatMap(({ keys }) => keys.map(({ id }) => id))),
    };
  }

  #viewOf({ id, tenant, scopes, models, expires, issuedBy, issuedAt }: IssuedKey, stated: Stated): KeyView {
    const isUsed = stated.tenants.has(tenant) && !stated.keys.has(id);
    const state = isUsed ? this.#stateOf(id, expires) : 'unused';
    return { id, tenant, scopes, models, expires, state, source: 'issued', issuedBy, issuedAt };
  }

  #stateOf(id: string, expires: string | null): KeyView['state'] {
    if (this.#o.book().revokedKeys.has(id)) return 'revoked';
    return expires !== null && Date.parse(expires) <= this.#o.wallMs() ? 'expired' : 'active';
  }

  /** Whether it opens something, now or when its tenant is back: others need no room. */
  #opens(key: IssuedKey, stated: Stated): boolean {
    return ['active', 'unused'].includes(this.#viewOf(key, stated).state);
  }
}

function withoutDigest({ sha256: _, ...rest }: IssuedKey): object {
  const { id: key, ...more } = rest;
  return { key, ...more };
}

function unknownModels(unknown: readonly string[], known: readonly string[]): string {
  return `models: found ${listed(unknown.map((model) => `"${model}"`))}; expected some of ${listed(known)} or "*"`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}
