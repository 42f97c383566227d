import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { CATALOGUE, type MetricSpec } from './catalogue.ts';

/** A worker as its supervisor counts it. */
export interface CountedWorker {
  readonly number: number;
  readonly state: string;
  readonly residentBytes: number;
  readonly cpuUs: number;
}

/** How a canary or shadow answers beside stable. */
export interface ComparedPair {
  readonly model: string;
  readonly variant: string;
  /** Share of compared answers that agree. */
  readonly agreement: number;
  /** By output; null where there are no scores. */
  readonly drifts: readonly { readonly output: string; readonly drift: Drift | null }[];
}

interface Drift {
  readonly psi: number;
  readonly jensenShannon: number;
}

/** A rollout that is under way, as its metrics show it. */
export interface CountedRollout {
  readonly model: string;
  readonly variant: string;
  readonly state: string;
  /** -1 before the first. */
  readonly step: number;
  readonly stuck: boolean;
  readonly pValues: readonly { readonly metric: string; readonly pValue: number }[];
}

/** What is asked at each scrape. */
export interface WatchedSupervisor {
  compared(): Promise<readonly ComparedPair[]>;
  workers(): readonly CountedWorker[];
  generation(): number;
  rollouts(): readonly CountedRollout[];
  webhookQueue(): number;
  audit(): { readonly seq: number; readonly problem: string };
}

const STATES = ['starting', 'serving', 'draining'];
const MICROS_PER_SECOND = 1e6;

/** What is known of workers from outside them, and what the supervisor itself takes. */
export class SupervisorMetrics {
  readonly #registry = new Registry();
  readonly #restarts: Counter;
  readonly #dropped: Counter;
  readonly #reloadFailed: Gauge;
  readonly #denied: Counter;
  readonly #rolloutMoves: Counter;
  readonly #webhookEvents: Counter;
  /** CPU time of workers that are gone, by number, in microseconds. */
  readonly #spentUs = new Map<number, number>();

  constructor(watched: WatchedSupervisor) {
    this.#restarts = new Counter({ ...optionsOf(CATALOGUE.workerRestarts), registers: [this.#registry] });
    this.#dropped = new Counter({ ...optionsOf(CATALOGUE.connectionsDropped), registers: [this.#registry] });
    this.#reloadFailed = new Gauge({ ...optionsOf(CATALOGUE.configReloadFailed), registers: [this.#registry] });
    this.#denied = new Counter({ ...optionsOf(CATALOGUE.adminDenied), registers: [this.#registry] });
    this.#gauge(CATALOGUE.auditSeq, (gauge) => gauge.set(watched.audit().seq));
    this.#gauge(CATALOGUE.auditRefusing, (gauge) => gauge.set(watched.audit().problem === '' ? 0 : 1));
    this.#gauge(CATALOGUE.configGeneration, (gauge) => gauge.set(watched.generation()));
    this.#gauge(CATALOGUE.workers, (gauge) => {
      for (const state of STATES) gauge.set({ state }, watched.workers().filter((worker) => worker.state === state).length);
    });
    this.#gauge(CATALOGUE.workerResidentBytes, (gauge) => {
      for (const { number, residentBytes } of watched.workers()) gauge.inc({ worker: String(number) }, residentBytes);
    });
    this.#registerCpu(watched);
    this.#registerComparisons(watched);
    this.#rolloutMoves = new Counter({ ...optionsOf(CATALOGUE.rolloutTransitions), registers: [this.#registry] });
    this.#webhookEvents = new Counter({ ...optionsOf(CATALOGUE.webhookEvents), registers: [this.#registry] });
    this.#showRollouts(watched);
    collectDefaultMetrics({ register: this.#registry });
  }

  restarted(reason: string): void {
    this.#restarts.inc({ reason });
  }

  dropped(face: string): void {
    this.#dropped.inc({ face });
  }

  denied(reason: 'token' | 'role'): void {
    this.#denied.inc({ reason });
  }

  rolloutMoved(model: string, state: string): void {
    this.#rolloutMoves.inc({ model, state });
  }

  webhookEnded(outcome: string): void {
    this.#webhookEvents.inc({ outcome });
  }

  /** It is in no sum of the living any more. */
  retire({ number, cpuUs }: CountedWorker): void {
    this.#spentUs.set(number, (this.#spentUs.get(number) ?? 0) + cpuUs);
  }

  reloadFailed(failed: boolean): void {
    this.#reloadFailed.set(failed ? 1 : 0);
  }

  /** Names of all registered metrics, those of the process included. */
  names(): string[] {
    return this.#registry.getMetricsAsArray().map((metric) => metric.name);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #showRollouts({ rollouts, webhookQueue }: WatchedSupervisor): void {
    const each = (spec: MetricSpec, set: (gauge: Gauge, of: CountedRollout, labels: Record<string, string>) => void): void =>
      this.#gauge(spec, (gauge) => {
        for (const of of rollouts()) set(gauge, of, { model: of.model, variant: of.variant });
      });
    each(CATALOGUE.rolloutState, (gauge, { state }, labels) => gauge.set({ ...labels, state }, 1));
    each(CATALOGUE.rolloutStep, (gauge, { step }, labels) => gauge.set(labels, step + 1));
    each(CATALOGUE.rolloutStuck, (gauge, { stuck }, labels) => gauge.set(labels, stuck ? 1 : 0));
    each(CATALOGUE.rolloutPValue, (gauge, { pValues }, labels) => {
      for (const { metric, pValue } of pValues) gauge.set({ ...labels, metric }, pValue);
    });
    this.#gauge(CATALOGUE.webhookQueueLength, (gauge) => gauge.set(webhookQueue()));
  }

  #registerCpu(watched: { workers(): readonly CountedWorker[] }): void {
    const counter: Counter = new Counter({
      ...optionsOf(CATALOGUE.workerCpuSeconds),
      registers: [this.#registry],
      collect: () => {
        const us = new Map(this.#spentUs);
        for (const { number, cpuUs } of watched.workers()) us.set(number, (us.get(number) ?? 0) + cpuUs);
        counter.reset();
        for (const [number, spentUs] of us) counter.inc({ worker: String(number) }, spentUs / MICROS_PER_SECOND);
      },
    });
  }

  /** The agreement is asked for; what was found with it serves the other two, which are collected at the same time. */
  #registerComparisons(watched: WatchedSupervisor): void {
    let asked: Promise<readonly ComparedPair[]> = Promise.resolve([]);
    this.#asked(CATALOGUE.comparisonAgreement, async (gauge) => {
      asked = watched.compared();
      for (const { model, variant, agreement } of await asked) gauge.set({ model, variant }, agreement);
    });
    const drift = (spec: MetricSpec, read: (drift: Drift) => number): void =>
      this.#asked(spec, async (gauge) => {
        for (const { model, variant, drifts } of await asked) {
          for (const each of drifts)
            if (each.drift !== null) gauge.set({ model, variant, output: each.output }, read(each.drift));
        }
      });
    drift(CATALOGUE.scoreDriftPsi, ({ psi }) => psi);
    drift(CATALOGUE.scoreDriftJensenShannon, ({ jensenShannon }) => jensenShannon);
  }

  #asked(spec: MetricSpec, read: (gauge: Gauge) => Promise<void>): void {
    const gauge: Gauge = new Gauge({
      ...optionsOf(spec),
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        return read(gauge);
      },
    });
  }

  #gauge(spec: MetricSpec, read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      ...optionsOf(spec),
      registers: [this.#registry],
      collect: () => {
        // What is not there any more leaves the scrape as well.
        gauge.reset();
        read(gauge);
      },
    });
  }
}

const optionsOf = ({ name, help, labels }: MetricSpec): { name: string; help: string; labelNames: string[] } => ({
  name,
  help,
  labelNames: [...labels],
});
