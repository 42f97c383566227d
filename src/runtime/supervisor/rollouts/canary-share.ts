import { isDeepStrictEqual } from 'node:util';
import type { Operation, Reached } from '../../../core/control-plane.ts';
import type { PlanResult } from '../../../core/plan-control.ts';

/** The plan of one model as it is in force now. */
export interface PlanNow {
  readonly revision: number;
  readonly stable: string;
  /** Basis points of stable and canaries. */
  readonly weightsBp: Readonly<Record<string, number>>;
  /** A digest of what config says of each of them, but for its weight. */
  readonly digests: Readonly<Record<string, string>>;
}

/** What a rollout of `variant` compares with what. */
export const subjectOf = ({ stable, digests }: PlanNow, variant: string): string => `${digests[stable]} ${digests[variant]}`;

/** The way to the plans; the same that operators take. */
export interface PlanAccess {
  /** Null when config has no such model any more. */
  plan(model: string): PlanNow | null;
  changeWeights(change: ShareChange): Promise<PlanResult>;
}

export interface ShareChange extends Operation {
  readonly model: string;
  readonly expectedRevision: number;
  /** Basis points. */
  readonly weights: ReadonlyMap<string, number>;
}

export type ShareResult =
  | { readonly is: 'set'; readonly revision: number; readonly workers: Reached | null }
  /** Nothing was changed, and it can be tried again. */
  | { readonly is: 'unaudited' | 'unkept' | 'conflict'; readonly problem: string }
  /** The plan is not what it was left as: it belongs to other hands now. */
  | { readonly is: 'taken'; readonly problem: string };

/** The share of one canary, as a rollout has set it: notices when other hands change the plan, and never works against them. */
export class CanaryShare {
  readonly #plans: PlanAccess;
  readonly #model: string;
  readonly #variant: string;
  readonly #subject: string;
  /** The plan as it was left; null before it was ever looked at. */
  #left: Readonly<Record<string, number>> | null = null;
  /** What another process has left, which may have ended before its share was in force. */
  #before: { readonly revision: number; readonly weightBp: number } | null = null;

  constructor(plans: PlanAccess, of: { readonly model: string; readonly variant: string; readonly subject: string }) {
    this.#plans = plans;
    this.#model = of.model;
    this.#variant = of.variant;
    this.#subject = of.subject;
  }

  /** Takes the plan as it is now for its own. */
  adopt(): void {
    this.#left = this.#plans.plan(this.#model)?.weightsBp ?? null;
  }

  /** Another process has left the plan at this revision, on its way to this share. */
  remember(revision: number, weightBp: number): void {
    this.#before = { revision, weightBp };
  }

  /** Why the plan is not as it was left; empty when it is. */
  taken(): string {
    const now = this.#plans.plan(this.#model);
    if (now === null) return `the config has no model "${this.#model}" any more`;
    if (now.weightsBp[this.#variant] === undefined) return `"${this.#variant}" is no canary of "${this.#model}" any more`;
    if (subjectOf(now, this.#variant) !== this.#subject) {
      return `the config says something new about "${now.stable}" or "${this.#variant}"`;
    }
    if (!this.#isOthers(now)) return '';
    return `other hands have changed the plan to ${sharesText(now.weightsBp)}`;
  }

  async set(weightBp: number, { actor, reason }: Operation): Promise<ShareResult> {
    const problem = this.taken();
    if (problem !== '') return { is: 'taken', problem };
    const now = this.#plans.plan(this.#model)!;
    const next = this.#with(now, weightBp);
    if (isDeepStrictEqual(next, now.weightsBp)) {
      this.#left = next;
      return { is: 'set', revision: now.revision, workers: null };
    }
    const weights = new Map([[this.#variant, weightBp]]);
    const done = await this.#plans.changeWeights({
      model: this.#model,
      expectedRevision: now.revision,
      weights,
      actor,
      reason,
    });
    switch (done.is) {
      case 'applied':
        // Not what the plan says now: somebody may have changed it behind us already.
        this.#left = next;
        return { is: 'set', revision: done.plan.revision, workers: done.workers };
      case 'unaudited':
      case 'unkept':
        return { is: done.is, problem: done.problem };
      case 'conflict':
        return { is: 'conflict', problem: `the plan was changed meanwhile and is at revision ${done.revision}` };
      case 'unknown':
        return { is: 'taken', problem: `there is no model "${this.#model}" any more` };
      case 'invalid':
        return { is: 'taken', problem: done.problems.join('; ') };
      case 'planned':
      case 'absent':
      case 'unread':
        throw new Error(`A change of weights that was asked for in earnest ended as "${done.is}".`);
      default:
        return done satisfies never;
    }
  }

  #isOthers({ revision, weightsBp }: PlanNow): boolean {
    if (this.#left !== null) return !isDeepStrictEqual(weightsBp, this.#left);
    const before = this.#before;
    return before !== null && revision > before.revision && weightsBp[this.#variant] !== before.weightBp;
  }

  /** Stable takes what the canary leaves. */
  #with({ stable, weightsBp }: PlanNow, weightBp: number): Record<string, number> {
    const moves = weightBp - weightsBp[this.#variant]!;
    return { ...weightsBp, [stable]: weightsBp[stable]! - moves, [this.#variant]: weightBp };
  }
}

function sharesText(weightsBp: Readonly<Record<string, number>>): string {
  return Object.entries(weightsBp)
    .map(([name, weightBp]) => `${name} ${weightBp / 100} %`)
    .join(', ');
}
