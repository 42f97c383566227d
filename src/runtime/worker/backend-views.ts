import type { BackendView } from '../../core/control-plane.ts';
import type { Route, Variant } from '../../core/traffic.ts';
import { allVariants, reasonOf } from '../plan-view.ts';

/** Milliseconds a backend has to say whether it is ready. */
export const PROBE_TIMEOUT_MS = 1_000;

/** Asks every backend, each within a bound. */
export function backendViews(routes: readonly Route[]): Promise<readonly BackendView[]> {
  return Promise.all(routes.flatMap((route) => allVariants(route).map((variant) => backendView(route, variant))));
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
