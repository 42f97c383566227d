import type { AccessControl } from '../../core/access.ts';
import type { AuditReader } from '../../core/audit.ts';
import type { ComparisonControl } from '../../core/comparison.ts';
import type { ConfigControl } from '../../core/config-control.ts';
import type {
  BackendView,
  ControlPlane,
  PlanView,
  Purge,
  PurgeResult,
  Restart,
  RestartResult,
  VariantChange,
  VariantResult,
  WorkerView,
} from '../../core/control-plane.ts';
import type { UsageTotal } from '../../core/money.ts';
import type { TrafficControl } from '../../core/plan-control.ts';
import type { RequestStory } from '../../core/request-story.ts';
import type { RolloutControl } from '../../core/rollout.ts';
import { type AuditLog, recorded } from './audit-log.ts';
import type { Fleet, RollOutcome } from './fleet.ts';
import type { FleetSums } from './fleet-sums.ts';
import { backendSum } from './plan-sum.ts';
import { PlanChanges } from './plans/plan-changes.ts';
import type { PlanHistory } from './plans/plan-history.ts';
import type { PlanKeeper } from './plans/plan-keeper.ts';
import type { TruthBook } from './truth-book.ts';
import { VariantChanges } from './variant-changes.ts';

/** Backends are probed by each worker, within a second. */
const BACKENDS_TIMEOUT_MS = 3_000;
const MICROS_PER_SECOND = 1e6;

export interface FleetPlaneOptions {
  readonly fleet: Fleet;
  readonly sums: FleetSums;
  readonly comparisons: ComparisonControl;
  readonly audit: AuditLog;
  readonly planHistory: PlanHistory;
  readonly keeper: PlanKeeper;
  readonly rollouts: RolloutControl;
  /** Another after a reload. */
  readonly book: () => TruthBook;
  readonly access: AccessControl;
  readonly config: ConfigControl;
  readonly history: AuditReader;
  readonly acknowledgeTimeoutMs: () => number;
  /** Milliseconds that a request for `model` may take. */
  readonly requestTimeoutMs: (model: string) => number;
  readonly roll: () => Promise<RollOutcome>;
}

/**
 * The control plane of all workers together. A change is checked once and put on record, then told to every worker, and answered when all
 * have taken it over: what was read after the answer of one worker is true of each.
 */
export class FleetPlane implements ControlPlane {
  readonly access: AccessControl;
  readonly config: ConfigControl;
  readonly audit: AuditReader;
  readonly comparisons: ComparisonControl;
  readonly traffic: TrafficControl;
  readonly rollouts: RolloutControl;
  readonly #o: FleetPlaneOptions;
  readonly #variants: VariantChanges;

  constructor(options: FleetPlaneOptions) {
    this.comparisons = options.comparisons;
    this.#o = options;
    this.access = options.access;
    this.config = options.config;
    this.audit = options.history;
    const plansAsTold = (): readonly PlanView[] => options.sums.plansAsTold(options.book());
    this.traffic = new PlanChanges({ ...options, history: options.planHistory, plansAsTold });
    this.rollouts = options.rollouts;
    this.#variants = new VariantChanges({ ...options, plans: () => this.plans() });
  }

  plans(): Promise<readonly PlanView[]> {
    return this.#o.sums.plans(this.#o.book());
  }

  async backends(): Promise<readonly BackendView[]> {
    return backendSum(await this.#o.fleet.gather('backends', null, BACKENDS_TIMEOUT_MS));
  }

  load(change: VariantChange): Promise<VariantResult> {
    return this.#variants.load(change);
  }

  unload(change: VariantChange): Promise<VariantResult> {
    return this.#variants.unload(change);
  }

  usage(tenant: string): Promise<readonly UsageTotal[]> {
    return this.#o.sums.usage(tenant);
  }

  async purgeCache({ model, actor, reason, dryRun }: Purge): Promise<PurgeResult> {
    const { fleet, audit, acknowledgeTimeoutMs } = this.#o;
    if (dryRun) {
      const gives = await fleet.gather('cached', model, acknowledgeTimeoutMs(), fleet.live);
      return { is: 'preview', entries: gives.reduce((sum, held) => sum + held, 0) };
    }
    const problem = recorded(audit, { action: 'cache.purge', actor, model, before: null, after: null, reason });
    if (problem !== '') return { is: 'unaudited', problem };
    const { gives, reached } = await fleet.broadcast('purge', model, acknowledgeTimeoutMs());
    return { is: 'applied', purged: gives.reduce((sum, dropped) => sum + dropped, 0), workers: reached };
  }

  async restart({ actor, reason, dryRun }: Restart): Promise<RestartResult> {
    const { fleet, audit, roll } = this.#o;
    if (dryRun) return { is: 'preview', generation: fleet.generation + 1, workers: fleet.serving.length };
    const before = { generation: fleet.generation };
    const problem = recorded(audit, { action: 'gateway.restart', actor, model: '', before, after: null, reason });
    if (problem !== '') return { is: 'unaudited', problem };
    const outcome = await roll();
    if (outcome.is !== 'rolled') return outcome;
    const { length } = fleet.serving;
    return { is: 'applied', generation: outcome.generation, workers: { acknowledged: length, total: length } };
  }

  workers(): readonly WorkerView[] {
    return this.#o.fleet.all.map(({ number, generation, pid, state, pulse }) => ({
      worker: number,
      generation,
      pid,
      state,
      ready: pulse.ready,
      residentBytes: pulse.residentBytes,
      cpuSeconds: pulse.cpuUs / MICROS_PER_SECOND,
    }));
  }

  async explain(requestId: string): Promise<readonly RequestStory[]> {
    const { fleet } = this.#o;
    const gives = await fleet.gather('explain', requestId, BACKENDS_TIMEOUT_MS, fleet.live);
    return gives.flat().sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  isReady(): boolean {
    return this.#o.fleet.serving.some((worker) => worker.pulse.ready);
  }

  metrics(): Promise<string> {
    return this.#o.sums.metrics();
  }
}
