import type { Pin, PlanMember, TrafficPlan } from '../core/traffic.ts';
import { basisPoints } from '../core/units.ts';
import { contentOf, withContent } from '../router/plan-change.ts';
import { planOf, type WeightedVariant } from '../router/traffic-plan.ts';

/** What config says of a model's traffic besides weights. */
export interface StatedTraffic {
  readonly pins: readonly Pin[];
  /** Null is stable alone. */
  readonly fallbacks: readonly string[] | null;
}

const NOTHING_STATED: StatedTraffic = { pins: [], fallbacks: null };

/** The plan that config states for a model: stable takes what canaries leave. */
export function firstPlan<Member extends PlanMember>(
  model: string,
  members: readonly WeightedVariant<Member>[],
  { pins, fallbacks }: StatedTraffic = NOTHING_STATED,
): TrafficPlan<Member> {
  const of = (role: string): WeightedVariant<Member>[] => members.filter(({ variant }) => variant.role === role);
  const canaries = of('canary');
  const stableBp = canaries.reduce((left, canary) => left - canary.weightBp, 10_000);
  const plan = planOf({
    model,
    revision: 1,
    variants: [...of('stable').map(({ variant }) => ({ variant, weightBp: stableBp })), ...canaries],
    shadows: of('shadow').map(({ variant, weightBp }) => ({ variant, sample: basisPoints(weightBp) })),
  });
  const content = contentOf(plan);
  return withContent(plan, { ...content, pins, fallbacks: fallbacks ?? content.fallbacks });
}
