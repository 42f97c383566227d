import type { PlanView, VariantChange, VariantResult, VariantView } from '../../core/control-plane.ts';
import { LOAD_WAIT_MS } from '../worker/variant-mover.ts';
import { type AuditLog, recorded } from './audit-log.ts';
import type { Broadcast, Fleet } from './fleet.ts';
import type { TruthBook } from './truth-book.ts';

export interface VariantChangesOptions {
  readonly fleet: Pick<Fleet, 'broadcast' | 'live'>;
  readonly audit: AuditLog;
  readonly book: () => Pick<TruthBook, 'knows' | 'setUnloaded'>;
  readonly plans: () => Promise<readonly PlanView[]>;
  readonly acknowledgeTimeoutMs: () => number;
  /** Milliseconds that a request for `model` may take. */
  readonly requestTimeoutMs: (model: string) => number;
}

/** Takes single variants out of the traffic of all workers and brings them back, each change on record before it takes effect. */
export class VariantChanges {
  readonly #o: VariantChangesOptions;
  readonly #busy = new Set<string>();

  constructor(options: VariantChangesOptions) {
    this.#o = options;
  }

  /** A variant that is ready stays as it is; one that failed is tried again at once, and from its file or server anew. */
  load(change: VariantChange): Promise<VariantResult> {
    return this.#alone(change, async (before) => {
      if (before.readiness === 'ready' && change.dryRun) return { is: 'preview', variant: before, would: 'nothing: it is ready' };
      if (before.readiness === 'ready') return { is: 'applied', variant: before, workers: this.#all() };
      if (change.dryRun) return { is: 'preview', variant: before, would: 'warm it, and give it its share when it is ready' };
      const problem = this.#record('variant.load', change, before, 'warming');
      if (problem !== '') return { is: 'unaudited', problem };
      const name = { model: change.model, variant: change.variant };
      this.#o.book().setUnloaded(name, false);
      const done = await this.#o.fleet.broadcast('load', name, LOAD_WAIT_MS + this.#o.acknowledgeTimeoutMs());
      const failure = done.gives.find((why) => why !== '') ?? done.problems[0];
      return failure === undefined ? this.#applied(change, done) : { is: 'failed', problem: failure };
    });
  }

  unload(change: VariantChange): Promise<VariantResult> {
    return this.#alone(change, async (before, plan) => {
      if (before.readiness === 'unloaded' && change.dryRun)
        return { is: 'preview', variant: before, would: 'nothing: it is out' };
      if (before.readiness === 'unloaded') return { is: 'applied', variant: before, workers: this.#all() };
      const need = change.force ? '' : needFor(plan, before);
      if (need !== '') return { is: 'needed', problem: need };
      if (change.dryRun)
        return { is: 'preview', variant: before, would: 'take it out of traffic, and close it when its calls have ended' };
      const problem = this.#record('variant.unload', change, before, 'unloaded');
      if (problem !== '') return { is: 'unaudited', problem };
      const name = { model: change.model, variant: change.variant };
      this.#o.book().setUnloaded(name, true);
      // Calls that were let in end first, each within its own deadline.
      const timeoutMs = this.#o.requestTimeoutMs(change.model) + this.#o.acknowledgeTimeoutMs();
      const done = await this.#o.fleet.broadcast('unload', name, timeoutMs);
      return done.problems.length > 0 ? { is: 'failed', problem: done.problems[0]! } : this.#applied(change, done);
    });
  }

  async #alone(
    { model, variant }: VariantChange,
    run: (before: VariantView, plan: PlanView) => Promise<VariantResult>,
  ): Promise<VariantResult> {
    if (!this.#o.book().knows({ model, variant })) return { is: 'unknown' };
    const key = `${model}\n${variant}`;
    if (this.#busy.has(key)) return { is: 'busy' };
    this.#busy.add(key);
    try {
      const plan = (await this.#o.plans()).find((candidate) => candidate.model === model);
      const view = plan?.variants.find(({ name }) => name === variant);
      if (plan === undefined || view === undefined)
        return { is: 'failed', problem: 'no worker serves now; ask again in a moment' };
      return await run(view, plan);
    } finally {
      this.#busy.delete(key);
    }
  }

  #all(): { acknowledged: number; total: number } {
    const { length } = this.#o.fleet.live;
    return { acknowledged: length, total: length };
  }

  /** As it is now: the plan may have changed while the variant did. */
  async #applied(change: VariantChange, { reached }: Broadcast<'load' | 'unload'>): Promise<VariantResult> {
    const plan = (await this.#o.plans()).find(({ model }) => model === change.model);
    const variant = plan?.variants.find(({ name }) => name === change.variant);
    if (variant === undefined) return { is: 'failed', problem: 'no worker serves now; the change is kept for the next' };
    return { is: 'applied', variant, workers: reached };
  }

  /** Empty when it stands on record. */
  #record(action: string, { model, actor, reason, force }: VariantChange, before: VariantView, after: string): string {
    return recorded(this.#o.audit, {
      action,
      actor,
      model,
      before: { variant: before.name, readiness: before.readiness },
      after: { variant: before.name, readiness: after, force },
      reason,
    });
  }
}

/** Why a variant may not simply go: who would answer in its place. Empty when nobody needs it now. */
function needFor({ model, pins }: PlanView, { name, role, readiness, weightBp }: VariantView): string {
  if (readiness !== 'ready' || role === 'shadow') return '';
  if (role === 'stable') {
    return `"${name}" is the stable variant of "${model}": without it the model has no answer. Send "force": true if that is meant.`;
  }
  if (weightBp === 0) {
    if (!pins.some(({ variant }) => variant === name)) return '';
    return `"${name}" has pins: take them away first, or send "force": true to let its fallbacks answer for it.`;
  }
  return `"${name}" carries ${weightBp / 100} % of the traffic: set its weight to 0 first, or send "force": true to let its fallbacks answer for it.`;
}
