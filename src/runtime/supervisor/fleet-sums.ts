import type { PlanView } from '../../core/control-plane.ts';
import type { UsageTotal } from '../../core/money.ts';
import { ExpositionSum } from '../../telemetry/exposition-sum.ts';
import type { SupervisorMetrics } from '../../telemetry/supervisor-metrics.ts';
import type { Fleet } from './fleet.ts';
import { PlanSum } from './plan-sum.ts';
import type { TruthBook } from './truth-book.ts';
import { UsageSum } from './usage-sum.ts';
import type { WorkerHandle } from './worker-handle.ts';

/**
 * The figures of all workers as if they were one process. A worker that has ended stays in them with what it told last: all of it when its
 * end was orderly, and all but its last second when it was killed.
 */
export class FleetSums {
  readonly #fleet: Fleet;
  readonly #own: SupervisorMetrics;
  readonly #metrics = new ExpositionSum();
  readonly #usage = new UsageSum();
  readonly #plans = new PlanSum();

  constructor(fleet: Fleet, own: SupervisorMetrics) {
    this.#fleet = fleet;
    this.#own = own;
  }

  retire({ number, state, pulse, report }: WorkerHandle): void {
    this.#metrics.retire(report.metrics);
    this.#usage.retire(report.usage);
    this.#plans.retire(report.plans);
    this.#own.retire({ number, state, residentBytes: pulse.residentBytes, cpuUs: pulse.cpuUs });
  }

  async metrics(): Promise<string> {
    const [own] = await Promise.all([this.#own.text(), this.#fleet.report()]);
    // Taken together and at once: nothing can end between the living and the dead and be counted twice or not at all.
    return this.#metrics.total([own, ...this.#fleet.all.map(({ report }) => report.metrics)]);
  }

  async usage(tenant: string): Promise<readonly UsageTotal[]> {
    await this.#fleet.report();
    return this.#usage.total(
      this.#fleet.all.map(({ report }) => report.usage),
      tenant,
    );
  }

  async plans(book: TruthBook): Promise<readonly PlanView[]> {
    await this.#fleet.report();
    return this.plansAsTold(book);
  }

  /** With the figures that workers have told last, a second old at most: nobody is waited for. */
  plansAsTold(book: TruthBook): readonly PlanView[] {
    return this.#plans.total(
      book,
      this.#fleet.live.map(({ report }) => report.plans),
    );
  }
}
