import { fallbackProblems, pinProblems } from '../../../config/plan-checks.ts';
import type { PlanView } from '../../../core/control-plane.ts';
import type {
  HistoryView,
  PlanChange,
  PlanOrder,
  PlanResult,
  PlanRollback,
  PlanSwitch,
  RevisionResult,
  TrafficControl,
} from '../../../core/plan-control.ts';
import type { PlanMember, TrafficPlan } from '../../../core/traffic.ts';
import { WHOLE_BP } from '../../../core/units.ts';
import { planAfter } from '../../../router/plan-change.ts';
import { type AuditLog, recorded } from '../audit-log.ts';
import type { Fleet } from '../fleet.ts';
import type { TruthBook } from '../truth-book.ts';
import { effectOf, revisionView } from './plan-effect.ts';
import type { PastOfModel, PlanHistory } from './plan-history.ts';
import type { PlanKeeper, PlanOrigin } from './plan-keeper.ts';
import type { PlanRecord } from './plan-record.ts';
import { restoredPlan } from './restored-plan.ts';
import { runsOf } from './slot-runs.ts';
import { leadsToStable } from './towards-stable.ts';

/** Whoever goes back is answered in this time: a worker that hangs is ended behind the answer. */
const ROLLBACK_ANSWER_MS = 500;

export interface PlanChangesOptions {
  readonly fleet: Pick<Fleet, 'broadcast'>;
  readonly audit: AuditLog;
  readonly history: PlanHistory;
  readonly keeper: PlanKeeper;
  /** Another after a reload. */
  readonly book: () => TruthBook;
  /** With the figures that are known without asking anybody. */
  readonly plansAsTold: () => readonly PlanView[];
  readonly acknowledgeTimeoutMs: () => number;
}

/**
 * Changes plans. Each change goes the same way: it is checked, put on the audit record, written to the history, and only then told to every
 * worker. Where the record cannot be written nothing changes, and where the history cannot be only what leads from canaries to stable. Nothing on that way is waited for before the workers are told,
 * so of two changes that have seen the same revision only one can win; and nothing of it asks a backend.
 */
export class PlanChanges implements TrafficControl {
  readonly #o: PlanChangesOptions;

  constructor(options: PlanChangesOptions) {
    this.#o = options;
  }

  async change(change: PlanChange): Promise<PlanResult> {
    const found = this.#find(change);
    if ('is' in found) return found;
    const problems = this.#problemsOf(change);
    if (problems.length > 0) return { is: 'invalid', problems };
    const next = planAfter(found.plan, change);
    if (Array.isArray(next)) return { is: 'invalid', problems: next };
    return this.#put(found.plan, next, { ...change, restores: 0 });
  }

  async switchTo(order: PlanSwitch): Promise<PlanResult> {
    const plan = this.#o.book().plan(order.model);
    const weights = new Map(plan?.variants.map(({ name }) => [name, 0]));
    return this.change({ ...order, cause: 'admin', weights: weights.set(order.variant, WHOLE_BP), pins: null, fallbacks: null });
  }

  async rollBack(order: PlanRollback): Promise<PlanResult> {
    const { model, toRevision } = order;
    const seen = this.#find(order);
    if ('is' in seen) return seen;
    const target = await this.#target(model, toRevision, seen.plan.revision);
    if (target.is !== 'found') return target;
    const { record } = target;
    // The plan may have changed while the history was read, and the one before it is another then: of two who go one back one wins.
    const expectedRevision = order.expectedRevision ?? (toRevision === null ? seen.plan.revision : null);
    const found = this.#find({ ...order, expectedRevision });
    if ('is' in found) return found;
    const next = restoredPlan(found.plan, record);
    if (!('slots' in next)) return { is: 'invalid', problems: [goneProblem(record, next)] };
    return this.#put(found.plan, next, { ...order, cause: 'rollback', restores: record.revision });
  }

  async history(model: string, limit: number): Promise<HistoryView | null> {
    const plan = this.#o.book().plan(model);
    if (plan === null) return null;
    const { records, problem } = await this.#o.history.list(model, limit);
    return { model, revision: plan.revision, revisions: records.map(revisionView), problem };
  }

  async revision(model: string, revision: number): Promise<RevisionResult> {
    if (this.#o.book().plan(model) === null) return { is: 'unknown' };
    const target = await this.#target(model, revision, 0);
    if (target.is !== 'found') return target;
    const { record } = target;
    const slots = runsOf(record.slots, (owner) => record.variants[owner]!.name);
    return { is: 'found', revision: revisionView(record), slots };
  }

  /** The plan that a change is of, or why there is none. */
  #find({ model, expectedRevision }: PlanOrder): { readonly plan: TrafficPlan<PlanMember> } | PlanResult {
    const plan = this.#o.book().plan(model);
    if (plan === null) return { is: 'unknown' };
    if (expectedRevision !== null && plan.revision !== expectedRevision) return { is: 'conflict', revision: plan.revision };
    return { plan };
  }

  #problemsOf({ model, pins, fallbacks }: PlanChange): readonly string[] {
    const { models, tenants } = this.#o.book().config;
    const { variants } = models[model]!;
    const ids = new Set(tenants.map(({ id }) => id));
    const problems = [...pinProblems(pins ?? [], variants, ids), ...fallbackProblems(fallbacks ?? [], variants)];
    return problems.map(({ path, message }) => `${path}: ${message}`);
  }

  async #put(plan: TrafficPlan<PlanMember>, wanted: TrafficPlan<PlanMember>, order: PlanOrder & PlanOrigin): Promise<PlanResult> {
    const { fleet, audit, book, history, keeper, acknowledgeTimeoutMs } = this.#o;
    const { model, actor, cause, reason, restores } = order;
    // A history that could not be read at the start may know later revisions than the plan in force.
    const next = { ...wanted, revision: Math.max(wanted.revision, history.last(model).revision + 1) };
    const effect = effectOf(plan, next);
    if (order.dryRun) return { is: 'planned', effect };
    const after = { ...effect.after, cause, movedBp: effect.movedBp, restores };
    const entry = { action: restores > 0 ? 'plan.rollback' : 'plan.change', actor, model, before: effect.before, after, reason };
    const problem = recorded(audit, entry);
    if (problem !== '') return { is: 'unaudited', problem };
    const origin = { cause, actor, reason, restores };
    const unkept = keeper.keep(book(), model, next, origin);
    if (unkept !== '' && !leadsToStable(plan, next)) {
      // The record speaks of what has not happened; where this one cannot be written either, the revision comes again and tells.
      recorded(audit, { ...entry, action: 'plan.not-applied', after: effect.before, reason: unkept });
      return { is: 'unkept', problem: unkept };
    }
    if (unkept !== '') keeper.hold(book(), model, next, origin, unkept);
    const timeoutMs = acknowledgeTimeoutMs();
    const answerMs = restores > 0 ? Math.min(ROLLBACK_ANSWER_MS, timeoutMs) : timeoutMs;
    const { reached } = await fleet.broadcast('weights', book().replan(model, next), timeoutMs, answerMs);
    return { is: 'applied', plan: this.#view(model, next), effect, workers: reached, unkept };
  }

  /** Where no worker has told anything yet, the plan alone. */
  #view(model: string, { revision, pins, fallbacks }: TrafficPlan<PlanMember>): PlanView {
    const told = this.#o.plansAsTold().find((candidate) => candidate.model === model);
    return told ?? { model, revision, variants: [], pins: pins.pins, fallbacks: fallbacks.map(({ name }) => name) };
  }

  /** The record to go back to, or why there is none. Without a revision it is the plan before the one in force. */
  async #target(model: string, revision: number | null, inForce: number): Promise<Target> {
    const past = await this.#o.history.past(model);
    const record = revision === null ? planBefore(past, inForce) : planAt(past, revision);
    if (record !== null) return { is: 'found', record };
    if (past.newest === 0 && past.problem !== '') return { is: 'unread', problem: past.problem };
    const kept = past.newest === 0 ? 'none is kept' : `kept are ${past.oldest} to ${past.newest}`;
    const wrong = past.problem === '' ? '' : ` What is wrong with the history: ${past.problem}`;
    const wanted = revision === null ? 'earlier revision' : `revision ${revision}`;
    return { is: 'absent', problem: `There is no ${wanted} of "${model}"; ${kept}.${wrong}` };
  }
}

type Target =
  | { readonly is: 'found'; readonly record: PlanRecord }
  | { readonly is: 'absent' | 'unread'; readonly problem: string };

function planAt(past: PastOfModel, revision: number): PlanRecord | null {
  for (const record of past.from(revision)) return record.revision === revision ? record : null;
  return null;
}

/** Going back once more must not bring back what was fled from: the plan before one that only went back is the one before its origin. */
function planBefore(past: PastOfModel, revision: number): PlanRecord | null {
  let origin = revision;
  // Newest first, and a plan goes back to older ones only: one look at each is enough.
  for (const record of past.from(revision)) {
    if (record.revision < origin) return record;
    if (record.revision === origin && record.restores > 0) origin = record.restores;
  }
  return null;
}

function goneProblem({ revision }: PlanRecord, missing: readonly string[]): string {
  const names = missing.map((name) => `"${name}"`).join(', ');
  return `revision ${revision} needs ${names}, which the config has no more, or only as a shadow; go back to another one`;
}
