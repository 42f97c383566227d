import type { Pin, PlanMember, TrafficPlan } from '../../../core/traffic.ts';

/**
 * Whether a change only takes callers away from canaries and gives them to stable: each slot that moves goes there, no pin and no fallback
 * leads to a canary that did not before, and none to stable is taken away.
 */
export function leadsToStable(before: TrafficPlan<PlanMember>, after: TrafficPlan<PlanMember>): boolean {
  const stable = before.variants.findIndex(({ role }) => role === 'stable');
  if (!after.slots.every((owner, i) => owner === before.slots[i] || owner === stable)) return false;
  const { name } = before.variants[stable]!;
  return pinsLead(before.pins.pins, after.pins.pins, name) && fallbacksLead(namesOf(before), namesOf(after), name);
}

const namesOf = ({ fallbacks }: TrafficPlan<PlanMember>): readonly string[] => fallbacks.map((variant) => variant.name);

function pinsLead(before: readonly Pin[], after: readonly Pin[], stable: string): boolean {
  const then = new Map(before.map((pin) => [keyOf(pin), pin.variant]));
  const now = new Map(after.map((pin) => [keyOf(pin), pin.variant]));
  const lead = [...now].every(([key, variant]) => variant === stable || then.get(key) === variant);
  return lead && [...then].every(([key, variant]) => variant !== stable || now.get(key) === stable);
}

const keyOf = (pin: Pin): string => JSON.stringify('tenant' in pin ? [pin.tenant] : [pin.header.toLowerCase(), pin.value]);

function fallbacksLead(before: readonly string[], after: readonly string[], stable: string): boolean {
  return after.every((name) => name === stable || before.includes(name)) && (after.includes(stable) || !before.includes(stable));
}
