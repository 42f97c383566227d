import type { CacheStore } from '../core/cache.ts';
import type {
  BackendView,
  ChangeResult,
  ControlPlane,
  PlanView,
  VariantChange,
  VariantResult,
  WeightChange,
} from '../core/control-plane.ts';
import type { UsageBook, UsageTotal } from '../core/money.ts';
import type { Route, Variant } from '../core/traffic.ts';
import { reweigh } from '../router/traffic-plan.ts';
import type { AuditLog } from './audit-log.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import { allVariants, planView, reasonOf } from './plan-view.ts';
import type { VariantLoader } from './variant-loader.ts';

/** Milliseconds a backend has to say whether it is ready. */
const PROBE_TIMEOUT_MS = 1_000;

export interface PlanKeeperOptions {
  readonly live: LiveSnapshot;
  readonly audit: AuditLog;
  readonly loader: VariantLoader;
  readonly usage: UsageBook;
  readonly store: CacheStore;
  readonly metrics: () => Promise<string>;
  /** True from the first listener until SIGTERM. */
  readonly isServing: () => boolean;
}

/** The control plane of this process: reads plans and changes them, each change on record before it takes effect. */
export class PlanKeeper implements ControlPlane {
  readonly #o: PlanKeeperOptions;

  constructor(options: PlanKeeperOptions) {
    this.#o = options;
  }

  plans(): readonly PlanView[] {
    return this.#o.live.current.routes.map(planView);
  }

  async backends(): Promise<readonly BackendView[]> {
    const asked: Promise<BackendView>[] = [];
    for (const route of this.#o.live.current.routes) {
      for (const variant of allVariants(route)) asked.push(backendView(route, variant));
    }
    return Promise.all(asked);
  }

  changeWeights(change: WeightChange): ChangeResult {
    const route = this.#o.live.current.route(change.model);
    if (route === null) return { is: 'unknown' };
    const { plan } = route;
    if (plan.revision !== change.expectedRevision) return { is: 'conflict', revision: plan.revision };
    const next = reweigh(plan, change.weights);
    if (Array.isArray(next)) return { is: 'invalid', problems: next };
    const changed: Route = { ...route, plan: next };
    try {
      this.#o.audit.write({
        action: 'plan.weights',
        actor: change.actor,
        model: change.model,
        before: { revision: plan.revision, weightsBp: weightsOf(route) },
        after: { revision: next.revision, weightsBp: weightsOf(changed) },
        reason: change.reason,
      });
    } catch (error) {
      return { is: 'unaudited', problem: (error as Error).message };
    }
    this.#o.live.replace(changed);
    return { is: 'applied', plan: planView(changed) };
  }

  load(change: VariantChange): Promise<VariantResult> {
    return this.#o.loader.load(change);
  }

  unload(change: VariantChange): Promise<VariantResult> {
    return this.#o.loader.unload(change);
  }

  usage(tenant: string): readonly UsageTotal[] {
    return this.#o.usage.totals(tenant);
  }

  purgeCache(model: string): number {
    this.#o.audit.write({ action: 'cache.purge', actor: 'admin-token', model, before: null, after: null, reason: '' });
    return this.#o.store.purge(model);
  }

  isReady(): boolean {
    return this.#o.isServing() && this.#o.live.current.routes.some((route) => route.contract !== null);
  }

  metrics(): Promise<string> {
    return this.#o.metrics();
  }
}

function weightsOf(route: Route): Record<string, number> {
  return Object.fromEntries(route.plan.variants.map((variant, i) => [variant.name, route.plan.weights[i]!]));
}

async function backendView(route: Route, variant: Variant): Promise<BackendView> {
  return {
    model: route.model,
    variant: variant.name,
    kind: variant.backend.kind,
    target: variant.backend.target,
    readiness: variant.state.readiness.is,
    reason: reasonOf(variant.state.readiness),
    live: await variant.backend.probe(PROBE_TIMEOUT_MS),
    endpoints: variant.state.endpoints.views(),
  };
}
