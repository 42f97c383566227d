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

/**
 * The variant that `version` names: by its name, else by a label, else by its role as `stable` or `canary`. Null when there is none, and
 * for `canary` also when there are several. Shadows cannot be asked for.
 */
export function variantByVersion(route: Route, version: string): Variant | null {
  const variants = route.plan.variants;
  for (let i = 0; i < variants.length; i++) {
    if (variants[i]!.name === version) return variants[i]!;
  }
  for (let i = 0; i < variants.length; i++) {
    if (variants[i]!.labels.includes(version)) return variants[i]!;
  }
  // Stable first, then canaries: the second is the only canary where there are just two.
  if (version === 'stable') return variants[0]!;
  return version === 'canary' && variants.length === 2 ? variants[1]! : null;
}

/** The variants that `version` names for a caller: all that may be asked for when it is empty. */
export function variantsByVersion(route: Route, version: string): readonly Variant[] {
  if (version === '') return route.plan.variants;
  const variant = variantByVersion(route, version);
  return variant === null ? [] : [variant];
}

/** Whether requests for `version` (empty: routed by the plan) would find a ready variant. */
export function isServing(route: Route, version: string): boolean {
  const variant = version === '' ? route.plan.variants[0]! : variantByVersion(route, version);
  return route.contract !== null && variant !== null && variant.state.readiness.is === 'ready';
}
