import type { PlanMember, ShadowShare, TrafficPlan, Variant } from '../core/traffic.ts';
import { WHOLE_BP } from '../core/units.ts';
import { affinityOf, mixed } from './affinity.ts';
import { NO_PINS } from './pins.ts';
import { redealt } from './slots.ts';

// A slot holds its variant's index in one byte.
const MAX_VARIANTS = 256;

export interface WeightedVariant<Member extends PlanMember = Variant> {
  readonly variant: Member;
  readonly weightBp: number;
}

export interface PlanSpec<Member extends PlanMember = Variant> {
  readonly model: string;
  readonly revision: number;
  /** Stable and canaries; their weights sum to 10,000. */
  readonly variants: readonly WeightedVariant<Member>[];
  readonly shadows: readonly ShadowShare<Member>[];
}

/** The first plan of a model, without pins and with stable to fall back to. Throws a RangeError that lists what is wrong: config is checked before this. */
export function planOf<Member extends PlanMember>(spec: PlanSpec<Member>): TrafficPlan<Member> {
  const stable = spec.variants.filter(({ variant }) => variant.role === 'stable');
  const canaries = spec.variants.filter(({ variant }) => variant.role === 'canary');
  const ordered = [...stable, ...canaries];
  const weights = ordered.map(({ weightBp }) => weightBp);
  const problems = problemsOf(spec, stable.length);
  for (const { variant, weightBp } of ordered) addWeightProblem(problems, variant.name, weightBp);
  if (problems.length === 0) addSumProblem(problems, weights);
  if (problems.length > 0) throw new RangeError(`plan of model "${spec.model}": ${problems.join('; ')}`);
  return {
    revision: spec.revision,
    salt: affinityOf(spec.model),
    variants: ordered.map(({ variant }) => variant),
    weights,
    slots: redealt(new Uint8Array(WHOLE_BP), weights),
    pins: NO_PINS,
    fallbacks: stable.map(({ variant }) => variant),
    shadows: spec.shadows,
  };
}

/**
 * The variant for a caller: O(1) and pure. Health is asked later, or a caller's cache key would depend on it.
 *
 * @hot
 */
export function choose(plan: TrafficPlan, affinity: number): Variant {
  // The rest of 2^32 by 10,000 favours the lower slots by 2 in a million, far below what a weight can say.
  return plan.variants[plan.slots[mixed(affinity ^ plan.salt) % plan.slots.length]!]!;
}

/**
 * The plan with new weights in basis points, or what is wrong with them. Canaries not named keep theirs; stable, when not named, takes
 * the rest.
 */
export function reweigh<Member extends PlanMember>(
  plan: TrafficPlan<Member>,
  weights: ReadonlyMap<string, number>,
): TrafficPlan<Member> | string[] {
  const problems: string[] = [];
  for (const [name, weightBp] of weights) {
    if (plan.variants.some((variant) => variant.name === name)) addWeightProblem(problems, name, weightBp);
    else problems.push(strangerProblem(plan, name));
  }
  if (problems.length > 0) return problems;
  const next = plan.variants.map((variant, i) => weights.get(variant.name) ?? plan.weights[i]!);
  if (!weights.has(plan.variants[0]!.name)) next[0] = WHOLE_BP - (sumOf(next) - next[0]!);
  if (next[0]! < 0) return [`canaries take ${WHOLE_BP - next[0]!} basis points, expected at most ${WHOLE_BP}: lower one of them`];
  addSumProblem(problems, next);
  if (problems.length > 0) return problems;
  return { ...plan, revision: plan.revision + 1, weights: next, slots: redealt(plan.slots, next) };
}

function problemsOf(spec: PlanSpec<PlanMember>, stableCount: number): string[] {
  const problems: string[] = [];
  if (stableCount !== 1) problems.push(`found ${stableCount} stable variants, expected exactly one`);
  if (spec.variants.length > MAX_VARIANTS)
    problems.push(`found ${spec.variants.length} variants, expected at most ${MAX_VARIANTS}`);
  const names = new Set<string>();
  for (const { variant } of [...spec.variants, ...spec.shadows]) {
    if (names.has(variant.name)) problems.push(`the name "${variant.name}" is used twice`);
    names.add(variant.name);
  }
  for (const { variant } of spec.variants) {
    if (variant.role === 'shadow') problems.push(`"${variant.name}" is a shadow, expected among the shadows`);
  }
  for (const { variant, sample } of spec.shadows) {
    if (variant.role !== 'shadow') problems.push(`"${variant.name}" is ${variant.role}, expected a shadow`);
    if (!isWeight(sample)) problems.push(`the sample of "${variant.name}" is ${sample}, ${EXPECTED_WEIGHT}`);
  }
  return problems;
}

function addWeightProblem(problems: string[], name: string, weightBp: number): void {
  if (!isWeight(weightBp)) problems.push(`the weight of "${name}" is ${weightBp}, ${EXPECTED_WEIGHT}`);
}

function addSumProblem(problems: string[], weights: readonly number[]): void {
  const sum = sumOf(weights);
  if (sum !== WHOLE_BP) problems.push(`weights sum to ${sum} basis points, expected ${WHOLE_BP}`);
}

function strangerProblem(plan: TrafficPlan<PlanMember>, name: string): string {
  if (plan.shadows.some(({ variant }) => variant.name === name)) {
    return `"${name}" is a shadow and carries no traffic: leave it out`;
  }
  const known = plan.variants.map((variant) => `"${variant.name}"`).join(', ');
  return `there is no variant "${name}", expected one of ${known}`;
}

const EXPECTED_WEIGHT = `expected whole basis points from 0 to ${WHOLE_BP}`;

function isWeight(weightBp: number): boolean {
  return Number.isInteger(weightBp) && weightBp >= 0 && weightBp <= WHOLE_BP;
}

function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
