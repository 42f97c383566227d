import type { PlanCause } from '../../../core/plan-control.ts';
import type { PlanMember, TrafficPlan } from '../../../core/traffic.ts';
import type { SetAlarm } from '../../../limits/alarm.ts';
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
  readonly setAlarm: SetAlarm;
}

/** A plan that serves and is on no disk is tried again so often: a crash before that brings the one before it back. */
const RETRY_MS = 5_000;

/** Writes plans into the history, each before it takes effect, or as soon as it can where safety does not wait for a disk. */
export class PlanKeeper {
  readonly #o: PlanKeeperOptions;
  #cancelRetry: (() => void) | null = null;

  constructor(options: PlanKeeperOptions) {
    this.#o = options;
  }

  /** Returns why it is not kept, or an empty text. */
  keep(book: TruthBook, model: string, plan: TrafficPlan<PlanMember>, origin: PlanOrigin): string {
    return this.#o.history.append(this.#recordOf(book, model, plan, origin));
  }

  /** For a plan that must take effect although it could not be kept: it is, as soon as anything can be written. */
  hold(book: TruthBook, model: string, plan: TrafficPlan<PlanMember>, origin: PlanOrigin, why: string): void {
    const { revision } = plan;
    this.#o.log.error('plan could not be kept and serves all the same, since it only leads to stable', {
      model,
      revision,
      reason: why,
    });
    this.#o.history.hold(this.#recordOf(book, model, plan, origin));
    this.#retryLater();
  }

  close(): void {
    this.#cancelRetry?.();
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#o.setAlarm(RETRY_MS, () => {
      this.#cancelRetry = null;
      if (this.#o.history.flush() !== '') this.#retryLater();
      else this.#o.log.info('plans that could not be kept are kept now');
    });
  }

  #recordOf(book: TruthBook, model: string, plan: TrafficPlan<PlanMember>, origin: PlanOrigin): PlanRecord {
    return {
      model,
      ...contentOf(plan),
      ...origin,
      at: new Date(this.#o.wallMs()).toISOString(),
      variants: plan.variants.map(({ name, role }) => ({ name, role })),
      base: baseOf(book.config.models[model]!),
    };
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
        this.#o.log.error('plan could not be kept; changes by hand that do not only lead to stable are refused until it can', {
          model,
          reason: problem,
        });
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
