import type { ComparisonConfig } from '../../../config/comparison-schema.ts';
import type { ModelConfig } from '../../../config/model-schema.ts';
import type { PlanView } from '../../../core/control-plane.ts';
import type { RolloutSpec, RolloutStart, RolloutStep, RolloutTolerance } from '../../../core/rollout.ts';
import { WHOLE_BP } from '../../../core/units.ts';

/** People besides the one who starts it that must approve the step that gives the canary all traffic. */
const APPROVALS = { low: 0, medium: 1, high: 2 } as const;

/** What a rollout will do, or why it cannot: what is asked for, over what config says, held against the plan as it is. */
export function specOf(
  start: RolloutStart,
  { rollout, riskTier, comparison }: ModelConfig,
  plan: PlanView,
): RolloutSpec | string[] {
  const canaries = plan.variants.filter(({ role }) => role === 'canary');
  const names = canaries.map(({ name }) => name).join(', ');
  if (canaries.length === 0) return [`"${start.model}" has no canary; expected one whose share can grow`];
  if (start.variant === '' && canaries.length > 1) return [`"${start.model}" has several canaries; name one of ${names}`];
  const canary = start.variant === '' ? canaries[0]! : canaries.find(({ name }) => name === start.variant);
  if (canary === undefined) return [`there is no canary "${start.variant}"; expected one of ${names}`];
  const asked = start.steps ?? rollout.steps.map(({ percent, ...more }) => ({ ...more, weightBp: percent }));
  const steps = asked.map((step): RolloutStep => {
    const { weightBp, approvals } = step;
    return {
      weightBp,
      holdMs: step.holdMs ?? rollout.holdMs,
      minRequests: step.minRequests ?? rollout.minRequests,
      approvals: weightBp === WHOLE_BP ? Math.max(approvals, APPROVALS[riskTier]) : approvals,
    };
  });
  const { tolerance } = rollout;
  const bound = (name: keyof RolloutTolerance): number => start.tolerance[name] ?? tolerance[name];
  const maxDisagreement = bound('maxDisagreement');
  const problems = [
    ...readyProblems(plan, canary.name),
    ...stepProblems(steps, canary.weightBp),
    ...roomProblems(plan, steps, canary.name),
    ...pairProblems(comparison, maxDisagreement, steps[0]!.weightBp),
  ];
  if (problems.length > 0) return problems;
  return {
    model: start.model,
    variant: canary.name,
    steps,
    tolerance: {
      errors: bound('errors'),
      latency: bound('latency'),
      cost: bound('cost'),
      maxDisagreement,
    },
    alpha: start.alpha ?? rollout.alpha,
  };
}

/** Both are needed: a canary alone could be compared with nothing. */
function readyProblems({ variants }: PlanView, canary: string): string[] {
  return variants
    .filter(({ name, role, readiness }) => readiness !== 'ready' && (role === 'stable' || name === canary))
    .map(({ name, readiness, reason }) => `"${name}" is ${readiness} (${reason}); expected ready`);
}

function stepProblems(steps: readonly RolloutStep[], nowBp: number): string[] {
  const problems: string[] = [];
  let lastBp = nowBp;
  for (const [i, { weightBp }] of steps.entries()) {
    if (weightBp <= lastBp) {
      const before = i === 0 ? 'which it has already' : 'no more than the step before it';
      problems.push(`step ${i + 1} gives the canary ${weightBp / 100} %, ${before}; expected more than ${lastBp / 100} %`);
    }
    lastBp = weightBp;
  }
  return problems;
}

/**
 * Only stable gives: other canaries keep what they have. Stable keeps something, since it is what the canary is compared with, unless this
 * canary alone gets all.
 */
function roomProblems({ variants }: PlanView, steps: readonly RolloutStep[], canary: string): string[] {
  const others = variants.filter(({ name, role, weightBp }) => role === 'canary' && name !== canary && weightBp > 0);
  if (others.length === 0) return [];
  const roomBp = others.reduce((room, { weightBp }) => room - weightBp, WHOLE_BP);
  const { weightBp } = steps.at(-1)!;
  if (weightBp < roomBp) return [];
  const names = others.map(({ name }) => name).join(', ');
  const found = `the last step gives the canary ${weightBp / 100} % beside ${names}`;
  return [`${found}; expected less than ${roomBp / 100} %, so that stable keeps some: take theirs away first`];
}

/** Without pairs the judge would be unsure for ever. */
function pairProblems(comparison: ComparisonConfig, maxDisagreement: number, firstBp: number): string[] {
  const { mirrorPercent, watchedMirrorPercent, watchedMirrorsPerSecond } = comparison;
  if (maxDisagreement >= 1 || firstBp === WHOLE_BP) return [];
  if (mirrorPercent > 0 || watchedMirrorPercent > 0 || watchedMirrorsPerSecond > 0) return [];
  const found = `maxDisagreement is ${maxDisagreement}, and nothing is mirrored that could be compared`;
  return [`${found}; expected 1, or a comparison.watchedMirrorPercent above 0`];
}
