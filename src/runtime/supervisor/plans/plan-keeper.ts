import type { PlanCause } from '../../../core/plan-control.ts';
import type { PlanMember, TrafficPlan } from '../../../core/traffic.ts';
import { contentOf } from '../../../router/plan-change.ts';
import type { Log } from '../../../telemetry/access-log.ts';
import type { TruthBook } from '../truth-book.ts';
import { baseOf } from './plan-base.ts';
import type { PlanHistory } from './plan-history.ts';
import type { PlanRecord } from './plan-record.ts';

/** How a plan came to be. */
export interface PlanOrigin {
  readonly cause: PlanCause;
  readonly actor: string;
  readonly reason: string;
  /** The revision it goes back to; 0 when it goes back to none. */
  readonly restores: number;
}

export interface PlanKeeperOptions {
  readonly history: PlanHistory;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly wallMs: () => number;
}

/** Writes plans into the history, each before it takes effect. */
export class PlanKeeper {
  readonly #o: PlanKeeperOptions;

  constructor(options: PlanKeeperOptions) {
    this.#o = options;
  }

  /** Returns why it is not kept, or an empty text. */
  keep(book: TruthBook, model: string, plan: TrafficPlan<PlanMember>, origin: PlanOrigin): string {
    const record: PlanRecord = {
      model,
      ...contentOf(plan),
      ...origin,
      at: new Date(this.#o.wallMs()).toISOString(),
      variants: plan.variants.map(({ name, role }) => ({ name, role })),
      base: baseOf(book.config.models[model]!),
    };
    return this.#o.history.append(record);
  }

  /**
   * Keeps what a config has made of all plans. It takes effect even where that fails, since the file that states it is kept elsewhere: the
   * next start finds that the config has new words, and takes them.
   */
  keepStated(book: TruthBook, reason: string): void {
    for (const model of book.models) {
      const plan = book.plan(model)!;
      const last = this.#o.history.last(model);
      if (plan.revision <= last.revision) continue;
      const problem = this.keep(book, model, plan, { cause: 'config', actor: 'config', reason, restores: 0 });
      if (problem !== '')
        this.#o.log.error('plan could not be kept; changes by hand are refused until it can', { model, reason: problem });
    }
  }

  /** Tells which plans of the past are in force again. */
  tell(book: TruthBook): void {
    for (const model of book.models) {
      const { record } = this.#o.history.last(model);
      if (record === null || record.revision === 1 || record.revision !== book.plan(model)!.revision) continue;
      const { revision, at, cause, actor, reason } = record;
      this.#o.log.info('plan restored from its history', { model, revision, at, cause, actor, reason });
    }
  }
}
