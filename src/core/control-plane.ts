import type { AccessControl } from './access.ts';
import type { AuditReader } from './audit.ts';
import type { ComparisonControl } from './comparison.ts';
import type { ConfigControl } from './config-control.ts';
import type { EndpointView } from './endpoints.ts';
import type { UsageTotal } from './money.ts';
import type { TrafficControl } from './plan-control.ts';
import type { RequestStory } from './request-story.ts';
import type { RolloutControl } from './rollout.ts';
import type { Pin } from './traffic.ts';

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

/** A plan with the figures of one process. */
export interface PlanFigures {
  readonly model: string;
  readonly revision: number;
  readonly variants: readonly VariantView[];
}

export interface PlanView extends PlanFigures {
  readonly pins: readonly Pin[];
  /** Names of variants, in the order in which they are asked. */
  readonly fallbacks: readonly string[];
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

/** How many of the processes that serve have taken a change over. One that has not is ended and replaced by one that has. */
export interface Reached {
  readonly acknowledged: number;
  readonly total: number;
}

/** A variant that config names, to be taken out of traffic or brought back. Nothing else can be loaded. */
export interface VariantChange {
  readonly model: string;
  readonly variant: string;
  /** Take it out although it carries traffic. */
  readonly force: boolean;
  /** Say what would happen, and change nothing. */
  readonly dryRun: boolean;
  readonly actor: string;
  readonly reason: string;
}

export type VariantResult =
  /** The view tells whether it is ready already, or still warming. */
  | { readonly is: 'applied'; readonly variant: VariantView; readonly workers: Reached }
  | { readonly is: 'preview'; readonly variant: VariantView; readonly would: string }
  | { readonly is: 'unknown' }
  /** Another change of this variant is under way. */
  | { readonly is: 'busy' }
  /** It carries traffic. */
  | { readonly is: 'needed'; readonly problem: string }
  | { readonly is: 'failed'; readonly problem: string }
  | { readonly is: 'unaudited'; readonly problem: string };

/** Who asks for something, and why. */
export interface Operation {
  readonly actor: string;
  readonly reason: string;
}

export interface Purge extends Operation {
  /** Empty purges all. */
  readonly model: string;
  readonly dryRun: boolean;
}

export type PurgeResult =
  | { readonly is: 'applied'; readonly purged: number; readonly workers: Reached }
  | { readonly is: 'preview'; readonly entries: number }
  | { readonly is: 'unaudited'; readonly problem: string };

export interface Restart extends Operation {
  readonly dryRun: boolean;
}

/** What became of a new generation of workers. */
export type RestartResult =
  | { readonly is: 'applied'; readonly generation: number; readonly workers: Reached }
  /** The generation that would serve, and how many workers it would replace. */
  | { readonly is: 'preview'; readonly generation: number; readonly workers: number }
  /** Another one is under way. */
  | { readonly is: 'busy' }
  /** The former workers go on. */
  | { readonly is: 'failed'; readonly problem: string }
  | { readonly is: 'unaudited'; readonly problem: string };

/** One process that serves. */
export interface WorkerView {
  readonly worker: number;
  readonly generation: number;
  readonly pid: number;
  readonly state: string;
  readonly ready: boolean;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

/** The only way from the control plane to the data plane. Figures are sums over all processes that serve. */
export interface ControlPlane {
  readonly access: AccessControl;
  readonly config: ConfigControl;
  readonly audit: AuditReader;
  /** How canaries and shadows answer beside stable. */
  readonly comparisons: ComparisonControl;
  /** Changes of plans, and their history. */
  readonly traffic: TrafficControl;
  readonly rollouts: RolloutControl;
  plans(): Promise<readonly PlanView[]>;
  /** Asks every backend, each within a bound. */
  backends(): Promise<readonly BackendView[]>;
  /** Warms a variant that is not ready. */
  load(change: VariantChange): Promise<VariantResult>;
  /** Takes a variant out of traffic, waits for its calls to end, and closes its backend. */
  unload(change: VariantChange): Promise<VariantResult>;
  usage(tenant: string): Promise<readonly UsageTotal[]>;
  purgeCache(purge: Purge): Promise<PurgeResult>;
  /** Replaces every worker without losing a request. */
  restart(restart: Restart): Promise<RestartResult>;
  workers(): readonly WorkerView[];
  /** What the workers still know of requests with this id, newest first; empty when they know of none. */
  explain(requestId: string): Promise<readonly RequestStory[]>;
  /** Serving, not draining, and at least one model can answer: one model's dead server must not take the others out of rotation. */
  isReady(): boolean;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
}
