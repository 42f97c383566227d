import type { PlanMember, TrafficPlan } from '../../../core/traffic.ts';
import { withContent } from '../../../router/plan-change.ts';
import type { PlanRecord } from './plan-record.ts';

/**
 * An earlier plan in the place of `plan`: every slot, pin and fallback goes to the variant of the same name, wherever the config has put
 * it since. Else the variants that are missing.
 */
export function restoredPlan(
  plan: TrafficPlan<PlanMember>,
  { variants, weights, slots, pins, fallbacks }: PlanRecord,
): TrafficPlan<PlanMember> | readonly string[] {
  const now = variants.map(({ name }) => plan.variants.findIndex((variant) => variant.name === name));
  const needed = new Set([...fallbacks, ...pins.map(({ variant }) => variant)]);
  const missing = variants.filter(({ name }, i) => now[i] === -1 && (weights[i]! > 0 || needed.has(name)));
  if (missing.length > 0) return missing.map(({ name }) => name);
  const restored = new Array<number>(plan.variants.length).fill(0);
  now.forEach((index, i) => {
    if (index >= 0) restored[index] = weights[i]!;
  });
  return withContent(plan, {
    revision: plan.revision + 1,
    weights: restored,
    slots: slots.map((owner) => now[owner]!),
    pins,
    fallbacks,
  });
}
