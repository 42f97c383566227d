import type { PlanMember, TrafficPlan } from '../core/traffic.ts';
import { contentOf, withContent } from '../router/plan-change.ts';
import type { PlanState } from './ipc/messages.ts';

/** A plan on its way from the supervisor to a worker. */
export function stateOf(model: string, plan: TrafficPlan<PlanMember>): PlanState {
  return { model, variants: plan.variants.map(({ name }) => name), ...contentOf(plan) };
}

/** `plan` as the supervisor has it now. Throws where that is of another config, as for a worker that ends while a new one serves. */
export function planOfState<Member extends PlanMember>(plan: TrafficPlan<Member>, state: PlanState): TrafficPlan<Member> {
  const { variants } = plan;
  if (variants.length !== state.variants.length || variants.some(({ name }, i) => name !== state.variants[i]))
    throw new RangeError(`the plan of "${state.model}" has other variants than the config of this worker`);
  return withContent(plan, state);
}
