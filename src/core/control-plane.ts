import type { EndpointView } from './endpoints.ts';
import type { UsageTotal } from './money.ts';

/** What the admin API and the CLI show of a variant. */
export interface VariantView {
  readonly name: string;
  readonly role: string;
  readonly labels: readonly string[];
  readonly backend: string;
  readonly target: string;
  /** Basis points; for a shadow its sample rate. */
  readonly weightBp: number;
  readonly readiness: string;
  readonly reason: string;
  readonly inFlight: number;
  readonly attempts: number;
  readonly failures: number;
  readonly lastFault: string;
}

export interface PlanView {
  readonly model: string;
  readonly revision: number;
  readonly variants: readonly VariantView[];
}

/** One backend as it answers when asked now. */
export interface BackendView {
  readonly model: string;
  readonly variant: string;
  readonly kind: string;
  readonly target: string;
  readonly readiness: string;
  readonly reason: string;
  /** Whether the backend itself says that it is ready. */
  readonly live: boolean;
  /** The servers behind it; none for a model in this process. */
  readonly endpoints: readonly EndpointView[];
}

/** New weights in basis points by variant name; variants not named keep theirs, and all must sum to 10,000. */
export interface WeightChange {
  readonly model: string;
  /** The revision the caller has seen; a newer one is a conflict. */
  readonly expectedRevision: number;
  readonly weights: ReadonlyMap<string, number>;
  readonly actor: string;
  readonly reason: string;
}

export type ChangeResult =
  | { readonly is: 'applied'; readonly plan: PlanView }
  | { readonly is: 'unknown' }
  | { readonly is: 'conflict'; readonly revision: number }
  | { readonly is: 'invalid'; readonly problems: readonly string[] }
  | { readonly is: 'unaudited'; readonly problem: string };

/** A variant that config names, to be taken out of traffic or brought back. Nothing else can be loaded. */
export interface VariantChange {
  readonly model: string;
  readonly variant: string;
  /** Take it out although it carries traffic. */
  readonly force: boolean;
  readonly actor: string;
  readonly reason: string;
}

export type VariantResult =
  /** The view tells whether it is ready already, or still warming. */
  | { readonly is: 'applied'; readonly variant: VariantView }
  | { readonly is: 'unknown' }
  /** Another change of this variant is under way. */
  | { readonly is: 'busy' }
  /** It carries traffic. */
  | { readonly is: 'needed'; readonly problem: string }
  | { readonly is: 'failed'; readonly problem: string }
  | { readonly is: 'unaudited'; readonly problem: string };

/** The only way from the control plane to the data plane. */
export interface ControlPlane {
  plans(): readonly PlanView[];
  /** Asks every backend, each within a bound. */
  backends(): Promise<readonly BackendView[]>;
  changeWeights(change: WeightChange): ChangeResult;
  /** Warms a variant that is not ready. */
  load(change: VariantChange): Promise<VariantResult>;
  /** Takes a variant out of traffic, waits for its calls to end, and closes its backend. */
  unload(change: VariantChange): Promise<VariantResult>;
  usage(tenant: string): readonly UsageTotal[];
  /** Entries dropped; an empty model purges all. Throws when it cannot be put on record. */
  purgeCache(model: string): number;
  /** Serving, not draining, and at least one model can answer: one model's dead server must not take the others out of rotation. */
  isReady(): boolean;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
}
