import type { PlanFigures, VariantView } from '../core/control-plane.ts';
import type { Readiness, Route, Variant } from '../core/traffic.ts';

/** Plans and variants as operators see them. */

/** Those that carry traffic, and the shadows. */
export function allVariants(route: Route): readonly Variant[] {
  return [...route.plan.variants, ...route.plan.shadows.map((share) => share.variant)];
}

/** Basis points of traffic, or of copies for a shadow. */
export function weightOf({ plan }: Route, variant: Variant): number {
  const share = plan.shadows.find((shadow) => shadow.variant === variant);
  return share === undefined ? (plan.weights[plan.variants.indexOf(variant)] ?? 0) : share.sample;
}

export function planView(route: Route): PlanFigures {
  const { plan } = route;
  const carrying = plan.variants.map((variant, i) => variantView(variant, plan.weights[i]!));
  const shadowing = plan.shadows.map((share) => variantView(share.variant, share.sample));
  return { model: route.model, revision: plan.revision, variants: [...carrying, ...shadowing] };
}

export function variantView(variant: Variant, weightBp: number): VariantView {
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
    inFlight: variant.gate.inFlight,
    attempts: state.attempts,
    failures: state.failures,
    lastFault: state.lastFault,
  };
}

/** Why a variant carries no traffic; empty when it may. */
export const reasonOf = (readiness: Readiness): string => (readiness.is === 'ready' ? '' : readiness.reason);
