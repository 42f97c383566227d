import type { Pin, PlanMember, TrafficPlan } from '../core/traffic.ts';
import { pinTable } from './pins.ts';
import { reweigh } from './traffic-plan.ts';

/** What a plan says besides its members and their salt; nothing in it but names and numbers. */
export interface PlanContent {
  readonly revision: number;
  /** Basis points, in the order of the plan's variants. */
  readonly weights: readonly number[];
  readonly slots: Uint8Array;
  readonly pins: readonly Pin[];
  /** Names of variants. */
  readonly fallbacks: readonly string[];
}

/** What somebody wants of a plan. What is null stays as it is. */
export interface PlanWish {
  readonly weights: ReadonlyMap<string, number> | null;
  readonly pins: readonly Pin[] | null;
  readonly fallbacks: readonly string[] | null;
}

/**
 * The next plan, or what is wrong with the weights. Throws a RangeError where pins or fallbacks name what carries no traffic: they
 * are checked before this.
 */
export function planAfter<Member extends PlanMember>(
  plan: TrafficPlan<Member>,
  { weights, pins, fallbacks }: PlanWish,
): TrafficPlan<Member> | string[] {
  const next = reweigh(plan, weights ?? NO_WEIGHTS);
  if (Array.isArray(next)) return next;
  return {
    ...next,
    pins: pins === null ? plan.pins : pinTable(pins, plan.variants),
    fallbacks: fallbacks === null ? plan.fallbacks : named(fallbacks, plan.variants),
  };
}

const NO_WEIGHTS: ReadonlyMap<string, number> = new Map();

/** `plan` with other content. Throws a RangeError where that names what carries no traffic. */
export function withContent<Member extends PlanMember>(
  plan: TrafficPlan<Member>,
  { revision, weights, slots, pins, fallbacks }: PlanContent,
): TrafficPlan<Member> {
  const { variants } = plan;
  return { ...plan, revision, weights, slots, pins: pinTable(pins, variants), fallbacks: named(fallbacks, variants) };
}

export function contentOf({ revision, weights, slots, pins, fallbacks }: TrafficPlan<PlanMember>): PlanContent {
  return { revision, weights, slots, pins: pins.pins, fallbacks: fallbacks.map(({ name }) => name) };
}

function named<Member extends PlanMember>(names: readonly string[], variants: readonly Member[]): readonly Member[] {
  return names.map((name) => {
    const variant = variants.find((candidate) => candidate.name === name);
    if (variant === undefined) throw new RangeError(`a fallback is "${name}", which carries no traffic`);
    return variant;
  });
}
