import type { Principal } from './tenant.ts';
import type { Route, Snapshot, Variant } from './traffic.ts';

/** What a caller may see. Every list and every look-up of a model goes through here, so that forbidden and unknown cannot be told apart. */

/** The route of `model`, or null when there is none or this caller may not use it. */
export function visibleRoute(snapshot: Snapshot, principal: Principal, model: string): Route | null {
  const route = snapshot.route(model);
  return route !== null && principal.allows(model) ? route : null;
}

/** All routes this caller may use, sorted by name. */
export function visibleRoutes(snapshot: Snapshot, principal: Principal): Route[] {
  return snapshot.routes.filter((route) => principal.allows(route.model));
}

/** The stable or canary variant that carries `version` as its name or label; null when none does. Shadows cannot be asked for. */
export function variantByVersion(route: Route, version: string): Variant | null {
  const variants = route.plan.variants;
  for (let i = 0; i < variants.length; i++) {
    if (variants[i]!.name === version) return variants[i]!;
  }
  for (let i = 0; i < variants.length; i++) {
    if (variants[i]!.labels.includes(version)) return variants[i]!;
  }
  return null;
}

/** Whether requests for `version` (empty: routed by the plan) would find a ready variant. */
export function isServing(route: Route, version: string): boolean {
  const variant = version === '' ? route.plan.variants[0]! : variantByVersion(route, version);
  return route.contract !== null && variant !== null && variant.state.readiness.is === 'ready';
}
