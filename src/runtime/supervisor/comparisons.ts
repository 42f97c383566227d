import type { ComparisonConfig } from '../../config/comparison-schema.ts';
import type { ComparisonControl, ComparisonView, DisagreementsView, PairComparisonView } from '../../core/comparison.ts';
import type { PlanView } from '../../core/control-plane.ts';
import type { PairReport } from '../../router/comparison/comparison-book.ts';
import { driftOf } from '../../router/comparison/drift.ts';
import { mergedFigures, mergedSamples, pairView } from '../../router/comparison/pair-view.ts';
import type { ComparedPair } from '../../telemetry/supervisor-metrics.ts';
import type { Fleet } from './fleet.ts';

/** A worker that does not tell in this time is left out of one look: only figures are at stake. */
const ASK_TIMEOUT_MS = 1_000;

export interface ComparisonsOptions {
  readonly fleet: Pick<Fleet, 'serving'>;
  /** Null when there is no such model. */
  readonly policy: (model: string) => ComparisonConfig | null;
  readonly plans: () => Promise<readonly PlanView[]>;
}

/**
 * What the workers that serve have found by comparing answers, put together when somebody asks. A new generation of workers begins anew, as
 * its variants may be others; what one worker knew ends with it.
 */
export class Comparisons implements ComparisonControl {
  readonly #o: ComparisonsOptions;

  constructor(options: ComparisonsOptions) {
    this.#o = options;
  }

  async read(model: string): Promise<ComparisonView | null> {
    const policy = this.#o.policy(model);
    if (policy === null) return null;
    const [reports, plans] = await Promise.all([this.#ask(model, false), this.#o.plans()]);
    const plan = plans.find((candidate) => candidate.model === model);
    const stable = plan?.variants.find(({ role }) => role === 'stable');
    if (plan === undefined || stable === undefined) return null;
    const pairs: PairComparisonView[] = [];
    for (const { variant: name, figures } of mergedFigures(reports)) {
      const variant = plan.variants.find((candidate) => candidate.name === name);
      if (variant !== undefined) pairs.push(pairView({ variant: name, role: variant.role }, figures, { stable, variant }));
    }
    return { model, stable: stable.name, agreeBy: policy.agreeBy, pairs };
  }

  /** Of every pair of every model, for the gauges. */
  async compared(): Promise<readonly ComparedPair[]> {
    return mergedFigures(await this.#ask('', false)).map(({ model, variant, figures: { agreed, disagreed, outputs } }) => ({
      model,
      variant,
      agreement: agreed + disagreed === 0 ? 1 : agreed / (agreed + disagreed),
      drifts: [...outputs].map(([output, of]) => ({ output, drift: driftOf(of.stableScores, of.variantScores) })),
    }));
  }

  async disagreements(model: string, variant: string): Promise<DisagreementsView | null> {
    const policy = this.#o.policy(model);
    if (policy === null) return null;
    if (variant !== '') {
      const plan = (await this.#o.plans()).find((candidate) => candidate.model === model);
      if (plan?.variants.some(({ name }) => name === variant) !== true) return null;
    }
    const { seen, items } = mergedSamples(await this.#ask(model, true), variant, policy.keep);
    return { model, seen, disagreements: items };
  }

  async #ask(model: string, samples: boolean): Promise<readonly (readonly PairReport[])[]> {
    const asked = this.#o.fleet.serving.map((worker) => worker.ask('comparison', { model, samples }, ASK_TIMEOUT_MS));
    const answers = await Promise.allSettled(asked);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }
}
