import type { Backend } from './backend.ts';
import type { CallPolicy } from './call-policy.ts';
import { type EndpointSet, NO_ENDPOINTS } from './endpoints.ts';
import type { Gate } from './gate.ts';
import type { GuardChain } from './guard.ts';
import type { PriceSheet } from './money.ts';
import type { ModelContract, Signature } from './signature.ts';
import { VariantStatistics } from './statistics.ts';
import type { Principal, Proof } from './tenant.ts';
import type { BasisPoints } from './units.ts';

export type Role = 'stable' | 'canary' | 'shadow';

/** Where a variant stands on its way to traffic. It carries none before it is ready. */
export type Readiness =
  | { readonly is: 'warming'; readonly reason: string }
  | { readonly is: 'ready'; readonly signature: Signature }
  | { readonly is: 'mismatched'; readonly reason: string }
  /** It was ready, and now every endpoint is out by its probes and by its calls; it comes back by itself. */
  | { readonly is: 'lost'; readonly reason: string }
  /** Taken out by an operator, and not tried again before it is asked for. */
  | { readonly is: 'unloaded'; readonly reason: string };

/** What belongs to a variant and not to a plan: it survives every change of weights. */
export class VariantState {
  readiness: Readiness = { is: 'warming', reason: 'not tried yet' };
  /** Calls begun, or refused because the variant was not ready or full. */
  attempts = 0;
  failures = 0;
  lastFault = '';
  readonly statistics = new VariantStatistics();
  /** The servers behind it; none for a model in this process. */
  endpoints: EndpointSet = NO_ENDPOINTS;
}

/** One deployable version behind a model. */
export interface Variant {
  readonly name: string;
  /** Names besides its own by which a caller may ask for it. */
  readonly labels: readonly string[];
  readonly role: Role;
  readonly backend: Backend;
  readonly price: PriceSheet;
  /** Outlives every plan, like the state. */
  readonly gate: Gate;
  readonly state: VariantState;
}

/** What a plan needs to know of a variant. */
export interface PlanMember {
  readonly name: string;
  readonly role: Role;
}

/** A shadow and the share of requests it gets a copy of. */
export interface ShadowShare<Member extends PlanMember = Variant> {
  readonly variant: Member;
  readonly sample: BasisPoints;
}

/** Who goes to one variant whatever the weights say: a tenant, or whoever sends a header field with one value. */
export type Pin =
  | { readonly tenant: string; readonly variant: string }
  | { readonly header: string; readonly value: string; readonly variant: string };

/** Pins as they are looked up. */
export interface PinTable<Member extends PlanMember = Variant> {
  /** As they were stated. */
  readonly pins: readonly Pin[];
  readonly tenants: ReadonlyMap<string, Member>;
  readonly headers: readonly HeaderPins<Member>[];
}

/** The pins of one header field, by its values. */
export interface HeaderPins<Member extends PlanMember = Variant> {
  /** Lower case. */
  readonly name: string;
  readonly values: ReadonlyMap<string, Member>;
}

/** An immutable choice of traffic. Changing a weight builds a new plan from the old one. */
export interface TrafficPlan<Member extends PlanMember = Variant> {
  readonly revision: number;
  readonly salt: number;
  /** Stable first, then canaries; shadows are not here. */
  readonly variants: readonly Member[];
  /** Basis points by variant; they sum to 10,000. */
  readonly weights: readonly number[];
  /** 10,000 slots, one for each basis point, each an index into `variants`. A growing canary takes slots from stable only. */
  readonly slots: Uint8Array;
  readonly pins: PinTable<Member>;
  /** Asked in this order when the chosen variant fails, that one left out. */
  readonly fallbacks: readonly Member[];
  readonly shadows: readonly ShadowShare<Member>[];
}

/** Everything config and plan say about one model. */
export interface Route {
  readonly model: string;
  readonly plan: TrafficPlan;
  /** Null until a stable variant has stated its signature. */
  readonly contract: ModelContract | null;
  readonly inputGuards: GuardChain | null;
  readonly outputGuards: GuardChain | null;
  /** Digest of both guard chains; part of every cache key. */
  readonly policy: string;
  /** 0 turns the cache off for this model. */
  readonly cacheTtlMs: number;
  readonly timeoutMs: number;
  readonly calls: CallPolicy;
  /** Header that carries the sticky key; empty when none is configured. */
  readonly stickyHeader: string;
  readonly stickyByTenant: boolean;
}

/** Config, plans and policies behind one reference: read once a request, swapped whole. */
export interface Snapshot {
  readonly revision: number;
  route(model: string): Route | null;
  /** Sorted by model name. */
  readonly routes: readonly Route[];
  /** Null for an unknown credential. */
  identify(credential: string, wallMs: number, proof?: Proof | null): Principal | null;
}
