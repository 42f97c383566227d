import type { PlanMember, TrafficPlan } from '../core/traffic.ts';
import { basisPoints } from '../core/units.ts';
import { planOf, type WeightedVariant } from '../router/traffic-plan.ts';

/** The plan that config states for a model: stable takes what canaries leave. */
export function firstPlan<Member extends PlanMember>(
  model: string,
  members: readonly WeightedVariant<Member>[],
): TrafficPlan<Member> {
  const of = (role: string): WeightedVariant<Member>[] => members.filter(({ variant }) => variant.role === role);
  const canaries = of('canary');
  const stableBp = canaries.reduce((left, canary) => left - canary.weightBp, 10_000);
  return planOf({
    model,
    revision: 1,
    variants: [...of('stable').map(({ variant }) => ({ variant, weightBp: stableBp })), ...canaries],
    shadows: of('shadow').map(({ variant, weightBp }) => ({ variant, sample: basisPoints(weightBp) })),
  });
}
