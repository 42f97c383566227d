import type { ByteBudget, Permit } from './limits.ts';
import type { BucketId } from './units.ts';
import type { Maybe } from './verdict.ts';

/** Who pays and is limited. */
export interface Tenant {
  readonly id: string;
  /** Rate buckets charged for each request; all or none. */
  readonly buckets: readonly BucketId[];
  /** Requests a second and burst of the tightest bucket, for the RateLimit-Policy header. */
  readonly ratePerSecond: number;
  readonly burst: number;
  /** How urgent its requests are, 0 to 7; 7 the most. */
  readonly priority: number;
  /** Caps the requests in flight. */
  readonly concurrency: ConcurrencyCap;
  /** The tenant's share of the bytes in flight, so that none can take what all others need. */
  readonly bytes: ByteBudget;
}

/** Takes its place with one call; is itself the permit to give back, so that no request allocates one. */
export interface ConcurrencyCap extends Permit {
  /** False when all places are taken; null when nobody could say in time. A promise only where others have to be asked. */
  take(): Maybe<boolean | null>;
  readonly inFlight: number;
  readonly capacity: number;
}

/** A known credential: which tenant, and what of the tenant's rights it carries. */
export interface Principal {
  readonly tenant: Tenant;
  /** Public part of the key; safe in logs. */
  readonly keyId: string;
  readonly scopes: ReadonlySet<string>;
  allows(model: string): boolean;
}

/** The scope needed to ask for predictions. */
export const SCOPE_INFER = 'infer';
/** The scope that lets `x-sluice-variant` override the plan. */
export const SCOPE_OVERRIDE = 'route:override';

/** That one identity has found whom a credential belongs to. Whoever has sent it once, and sends the same again, need not prove it again. */
export class Proof {
  by: Identity | null = null;
  /** For the identity alone. */
  of: unknown = null;
}

/** Finds who a credential belongs to. */
export interface Identity {
  /**
   * Null for an unknown, expired or malformed key. Takes the same time for a wrong id as for a wrong secret. `proof` is of this credential
   * alone, and kept by who has sent it: filled where it proves something, and taken for the proof where it has.
   */
  identify(credential: string, wallMs: number, proof?: Proof | null): Principal | null;
}
