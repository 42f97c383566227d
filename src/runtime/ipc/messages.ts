import type { Config } from '../../config/schema.ts';
import type { BackendView, PlanFigures } from '../../core/control-plane.ts';
import type { ModelEvidence, Watched } from '../../core/evidence.ts';
import type { UsageTotal } from '../../core/money.ts';
import type { RequestStory } from '../../core/request-story.ts';
import type { PairReport } from '../../router/comparison/comparison-book.ts';
import type { PlanContent } from '../../router/plan-change.ts';
import type { LeaseAnswer, LeaseMessage } from './lease-messages.ts';

/** What supervisor and worker say to each other. Everything here survives a structured clone; nothing else goes between them. */

/** The traffic of a model as it was changed since the start. Slots travel too: they depend on every change before. */
export interface PlanState extends PlanContent {
  readonly model: string;
  /** Names of those whom weights and slots count, in order. */
  readonly variants: readonly string[];
}

export interface VariantName {
  readonly model: string;
  readonly variant: string;
}

/** A key that was issued over the admin port; its secret is known to its holder alone. */
export interface IssuedKey {
  readonly id: string;
  readonly tenant: string;
  /** Of the whole key, hexadecimal. */
  readonly sha256: string;
  readonly scopes: readonly string[];
  readonly models: readonly string[];
  /** ISO 8601; null for one that does not expire. */
  readonly expires: string | null;
  readonly issuedBy: string;
  readonly issuedAt: string;
}

/** What was changed since the start, whole: whoever knows it and the config knows everything. */
export interface Truth extends BookTruth {
  /** Models whose evidence is kept for rollouts. */
  readonly watched: readonly Watched[];
  readonly issuedKeys: readonly IssuedKey[];
}

/** As far as the truth book has it: issued keys belong to no config, and are kept elsewhere. */
export interface BookTruth {
  /** Of models whose plan is not the one of config. */
  readonly plans: readonly PlanState[];
  readonly unloaded: readonly VariantName[];
  readonly revokedKeys: readonly string[];
}

/** All that a worker begins with. Never in its arguments or environment, which others can read. */
export interface WorkerStart {
  /** Its place among the workers; whoever replaces it has the same. */
  readonly number: number;
  /** How many there are. */
  readonly workers: number;
  readonly config: Config;
  /** Absolute path of the config, for messages. */
  readonly file: string;
  readonly baseDir: string;
  readonly version: string;
  /** By their path in the config. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly truth: Truth;
}

export interface ComparisonAsk {
  /** Empty asks for all. */
  readonly model: string;
  readonly samples: boolean;
}

/** What a worker has counted since it began. */
export interface WorkerReport {
  /** Figures of a higher number were gathered later. */
  readonly number: number;
  /** Prometheus text exposition. */
  readonly metrics: string;
  readonly usage: readonly UsageTotal[];
  readonly plans: readonly PlanFigures[];
}

/** Sent every second, and whenever it changes: that the worker lives, and how. */
export interface Pulse {
  readonly ready: boolean;
  readonly residentBytes: number;
  readonly cpuUs: number;
}

export interface EvidenceAsk {
  readonly model: string;
  readonly epoch: number;
  /** Whether it is ready is told too. */
  readonly variant: string;
}

/** Sums since the epoch began, and not since they were asked for: an answer that is lost loses nothing. */
export interface EvidenceAnswer extends ModelEvidence {
  /** Where the variant stands here. */
  readonly readiness: string;
  /** Why it takes no traffic; empty when it does. */
  readonly reason: string;
}

/** What a supervisor may ask, and what it gets. */
export interface Orders {
  readonly report: { readonly takes: null; readonly gives: WorkerReport };
  readonly backends: { readonly takes: null; readonly gives: readonly BackendView[] };
  /** Takes a request id. */
  readonly explain: { readonly takes: string; readonly gives: readonly RequestStory[] };
  /** Each variant beside stable; disagreements only where they are asked for. */
  readonly comparison: { readonly takes: ComparisonAsk; readonly gives: readonly PairReport[] };
  readonly truth: { readonly takes: Truth; readonly gives: null };
  readonly weights: { readonly takes: PlanState; readonly gives: null };
  /** Gives why the variant is not ready; empty when it is, or goes on warming. */
  readonly load: { readonly takes: VariantName; readonly gives: string };
  readonly unload: { readonly takes: VariantName; readonly gives: null };
  /** Takes a model, empty for all; gives the entries dropped. */
  readonly purge: { readonly takes: string; readonly gives: number };
  /** Takes a model, empty for all; gives the entries that a purge would drop. */
  readonly cached: { readonly takes: string; readonly gives: number };
  readonly issue: { readonly takes: IssuedKey; readonly gives: null };
  readonly revoke: { readonly takes: string; readonly gives: null };
  /** All models whose evidence is kept from now on. */
  readonly watch: { readonly takes: readonly Watched[]; readonly gives: null };
  /** Gives null where the model is not watched under that epoch. */
  readonly evidence: { readonly takes: EvidenceAsk; readonly gives: EvidenceAnswer | null };
  /** Says "not ready" from now on, and goes on serving. */
  readonly quiesce: { readonly takes: null; readonly gives: null };
  /** Ends what is in flight, then the process. Gives the last figures. */
  readonly drain: { readonly takes: null; readonly gives: WorkerReport };
}
export type OrderName = keyof Orders;
export type Takes<Name extends OrderName> = Orders[Name]['takes'];
export type Gives<Name extends OrderName> = Orders[Name]['gives'];

export type Face = 'http' | 'grpc';

export type ToWorker =
  | { readonly is: 'start'; readonly start: WorkerStart }
  /** With a connection beside it. */
  | { readonly is: 'socket'; readonly face: Face }
  | LeaseAnswer
  | { readonly is: 'order'; readonly id: number; readonly name: OrderName; readonly takes: unknown };

export type ToSupervisor =
  /** Models are loaded, and every server was tried once. */
  | { readonly is: 'up' }
  | { readonly is: 'failed'; readonly failure: StartFailure }
  | { readonly is: 'pulse'; readonly pulse: Pulse }
  | { readonly is: 'report'; readonly report: WorkerReport }
  | LeaseMessage
  | { readonly is: 'reply'; readonly id: number; readonly gives: unknown }
  | { readonly is: 'refusal'; readonly id: number; readonly problem: string }
  /** So many connections, in the order they came, are the worker's now. */
  | { readonly is: 'taken'; readonly count: number }
  /** The last word: an error that nothing has caught. */
  | { readonly is: 'crashed'; readonly problem: string };

/** Why a worker cannot begin, so that the supervisor can say it as if it had happened there. */
export type StartFailure =
  | {
      readonly is: 'config';
      readonly file: string;
      readonly problems: readonly { readonly path: string; readonly message: string }[];
    }
  | { readonly is: 'error'; readonly message: string };
