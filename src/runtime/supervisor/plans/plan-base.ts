import { isDeepStrictEqual } from 'node:util';
import type { ModelConfig } from '../../../config/model-schema.ts';
import type { Pin, PlanMember, Role, TrafficPlan } from '../../../core/traffic.ts';
import { contentOf, planAfter } from '../../../router/plan-change.ts';
import { firstPlan } from '../../first-plan.ts';

/** What a model's config says about its traffic: as long as it says nothing new, what was changed since stays in force. */
export interface PlanBase {
  /** Name, role and weight of each variant that carries traffic. */
  readonly shares: readonly (readonly [name: string, role: Role, weightBp: number])[];
  readonly pins: readonly Pin[];
  readonly fallbacks: readonly string[] | null;
}

export function baseOf({ variants, pins, fallbacks }: ModelConfig): PlanBase {
  const carrying = variants.filter(({ role }) => role !== 'shadow');
  return { shares: carrying.map(({ name, role, weight }) => [name, role, weight] as const), pins, fallbacks };
}

/** The plan that config alone states. */
export function statedPlan(model: string, config: ModelConfig): TrafficPlan<PlanMember> {
  const members = config.variants.map(({ name, role, weight }) => ({ variant: { name, role }, weightBp: weight }));
  return firstPlan<PlanMember>(model, members, config);
}

/** A plan, and what the config said when it was made. */
export interface PlanOnBase {
  readonly plan: TrafficPlan<PlanMember>;
  readonly base: PlanBase;
}

/**
 * The plan under a config whose words are `after`, and whose own plan is `stated`. Each of weights, pins and fallbacks that an operator has
 * set stays, unless the config has new words for it; where the variants are others, all is as the config says. A plan that is
 * not the former one has a later revision: whoever has seen the former must not change this one without looking.
 */
export function planUnder({ plan, base }: PlanOnBase, after: PlanBase, stated: TrafficPlan<PlanMember>): TrafficPlan<PlanMember> {
  const { shadows } = stated;
  if (isDeepStrictEqual(base, after)) return { ...plan, shadows };
  const begun = { ...stated, revision: plan.revision + 1 };
  if (!isDeepStrictEqual(plan.variants, stated.variants)) return begun;
  const own = contentOf(stated);
  const next = planAfter(plan, {
    // Callers stay with their variant as far as the new weights let them.
    weights: isDeepStrictEqual(base.shares, after.shares) ? null : weightsOf(stated),
    pins: isDeepStrictEqual(base.pins, after.pins) ? null : own.pins,
    fallbacks: isDeepStrictEqual(base.fallbacks, after.fallbacks) ? null : own.fallbacks,
  });
  return Array.isArray(next) ? begun : { ...next, shadows };
}

/** Basis points by variant name. */
export function weightsOf({ variants, weights }: TrafficPlan<PlanMember>): ReadonlyMap<string, number> {
  return new Map(variants.map(({ name }, i) => [name, weights[i]!]));
}
