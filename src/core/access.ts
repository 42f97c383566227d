import type { Operation, Reached } from './control-plane.ts';

/** Tenants and their keys, as the control plane shows and changes them. Never a secret or a digest. */

export interface TenantView {
  readonly id: string;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly priority: number;
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  /** Keys that open something now. */
  readonly keys: number;
}

export interface KeyView {
  readonly id: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly models: readonly string[];
  /** ISO 8601; null for one that does not expire. */
  readonly expires: string | null;
  /** Unused: its tenant is not in the config, or the config has a key of the same id. */
  readonly state: 'active' | 'expired' | 'revoked' | 'unused';
  readonly source: 'config' | 'issued';
  /** Empty for a key of the config, as is the time. */
  readonly issuedBy: string;
  readonly issuedAt: string;
}

export interface KeyIssue extends Operation {
  readonly tenant: string;
  readonly env: string;
  readonly scopes: readonly string[];
  readonly models: readonly string[];
  readonly expires: string | null;
  readonly dryRun: boolean;
}

export type IssueResult =
  /** The key itself is known to whoever hears this, and to nobody else. */
  | { readonly is: 'applied'; readonly key: string; readonly view: KeyView; readonly workers: Reached }
  | { readonly is: 'preview'; readonly view: KeyView }
  /** No such tenant. */
  | { readonly is: 'unknown'; readonly tenants: readonly string[] }
  | { readonly is: 'invalid'; readonly problems: readonly string[] }
  /** As many are kept as config allows. */
  | { readonly is: 'full'; readonly max: number }
  /** It could not be kept, so it was not issued. */
  | { readonly is: 'unkept'; readonly problem: string }
  | { readonly is: 'unaudited'; readonly problem: string };

export interface KeyRevocation extends Operation {
  readonly keyId: string;
  readonly dryRun: boolean;
}

export type RevokeResult =
  /** `unkept` says why it will not outlive this gateway; empty when it will. */
  | { readonly is: 'applied'; readonly workers: Reached; readonly unkept: string }
  | { readonly is: 'preview'; readonly revoked: boolean }
  | { readonly is: 'unknown' }
  | { readonly is: 'unaudited'; readonly problem: string };

export interface AccessControl {
  tenants(): readonly TenantView[];
  keys(): readonly KeyView[];
  /** From its answer on every worker lets the key in, also after a restart. */
  issue(issue: KeyIssue): Promise<IssueResult>;
  /** From its answer on the key opens nothing, also after a restart. */
  revoke(change: KeyRevocation): Promise<RevokeResult>;
}
