import type { PlanEffect, PlanFacts, RevisionView } from '../../../core/plan-control.ts';
import type { PlanMember, TrafficPlan } from '../../../core/traffic.ts';
import type { PlanRecord } from './plan-record.ts';

/** Plans and what becomes of callers between two of them, in the words of operators. */

export function factsOf({ revision, variants, weights, pins, fallbacks }: TrafficPlan<PlanMember>): PlanFacts {
  const weightsBp = Object.fromEntries(variants.map(({ name }, i) => [name, weights[i]!]));
  return { revision, weightsBp, pins: pins.pins, fallbacks: fallbacks.map(({ name }) => name) };
}

export function effectOf(before: TrafficPlan<PlanMember>, after: TrafficPlan<PlanMember>): PlanEffect {
  const moved = new Map<number, number>();
  let movedBp = 0;
  for (let i = 0; i < before.slots.length; i++) {
    const [from, to] = [before.slots[i]!, after.slots[i]!];
    if (from === to) continue;
    movedBp++;
    moved.set(from * MAX_VARIANTS + to, (moved.get(from * MAX_VARIANTS + to) ?? 0) + 1);
  }
  const moves = [...moved].map(([key, bp]) => ({
    from: before.variants[Math.floor(key / MAX_VARIANTS)]!.name,
    to: after.variants[key % MAX_VARIANTS]!.name,
    bp,
  }));
  return { before: factsOf(before), after: factsOf(after), movedBp, moves };
}

/** An owner of a slot is one byte. */
const MAX_VARIANTS = 256;

export function revisionView(record: PlanRecord): RevisionView {
  const { revision, at, cause, actor, reason, restores, variants, weights, pins, fallbacks } = record;
  const weightsBp = Object.fromEntries(variants.map(({ name }, i) => [name, weights[i]!]));
  return { revision, at, cause, actor, reason, restores, weightsBp, pins, fallbacks };
}
