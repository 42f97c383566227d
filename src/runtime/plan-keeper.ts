import type { CacheStore } from '../core/cache.ts';
import type { BackendView, ChangeResult, ControlPlane, PlanView, VariantView, WeightChange } from '../core/control-plane.ts';
import type { UsageBook, UsageTotal } from '../core/money.ts';
import type { Readiness, Route, Variant } from '../core/traffic.ts';
import { reweigh } from '../router/traffic-plan.ts';
import type { AuditLog } from './audit-log.ts';
import type { LiveSnapshot } from './live-snapshot.ts';

/** Milliseconds a backend has to say whether it is ready. */
const PROBE_TIMEOUT_MS = 1_000;

export interface PlanKeeperOptions {
  readonly live: LiveSnapshot;
  readonly audit: AuditLog;
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

  usage(tenant: string): readonly UsageTotal[] {
    return this.#o.usage.totals(tenant);
  }

  purgeCache(model: string): number {
    return this.#o.store.purge(model);
  }

  isReady(): boolean {
    return this.#o.isServing() && this.#o.live.current.routes.every((route) => route.contract !== null);
  }

  metrics(): Promise<string> {
    return this.#o.metrics();
  }
}

function allVariants(route: Route): readonly Variant[] {
  return [...route.plan.variants, ...route.plan.shadows.map((share) => share.variant)];
}

function weightsOf(route: Route): Record<string, number> {
  return Object.fromEntries(route.plan.variants.map((variant, i) => [variant.name, route.plan.weights[i]!]));
}

function planView(route: Route): PlanView {
  const { plan } = route;
  const carrying = plan.variants.map((variant, i) => variantView(variant, plan.weights[i]!));
  const shadowing = plan.shadows.map((share) => variantView(share.variant, share.sample));
  return { model: route.model, revision: plan.revision, variants: [...carrying, ...shadowing] };
}

function variantView(variant: Variant, weightBp: number): VariantView {
  const { state } = variant;
  return {
    name: variant.name,
    role: variant.role,
    labels: variant.labels,
    backend: variant.backend.kind,
    target: variant.backend.target,
    weightBp,
    readiness: state.readiness.is,
    reason: reasonOf(state.readiness),
    inFlight: state.inFlight,
    attempts: state.attempts,
    failures: state.failures,
    lastFault: state.lastFault,
  };
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
  };
}

const reasonOf = (readiness: Readiness): string => (readiness.is === 'ready' ? '' : readiness.reason);
