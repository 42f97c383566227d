import type { BackendView, PlanFigures, PlanView, VariantView } from '../../core/control-plane.ts';
import type { EndpointView } from '../../core/endpoints.ts';
import type { TruthBook } from './truth-book.ts';

interface Past {
  attempts: number;
  failures: number;
}

/** Plans as operators see them: weights from the one book, figures summed over all workers, those that are gone included. */
export class PlanSum {
  readonly #retired = new Map<string, Past>();

  retire(plans: readonly PlanFigures[]): void {
    for (const { model, variants } of plans) {
      for (const { name, attempts, failures } of variants) {
        const key = `${model}\n${name}`;
        const past = this.#retired.get(key) ?? { attempts: 0, failures: 0 };
        this.#retired.set(key, { attempts: past.attempts + attempts, failures: past.failures + failures });
      }
    }
  }

  /** Variants are as the workers describe them; a model that none describes yet is left out. */
  total(book: TruthBook, parts: readonly (readonly PlanFigures[])[]): readonly PlanView[] {
    const views: PlanView[] = [];
    for (const model of book.models) {
      const of = parts.flatMap((plans) => plans.filter((plan) => plan.model === model));
      const variants = of[0]?.variants.map(({ name }) => this.#variant(model, name, of)) ?? [];
      const plan = book.plan(model)!;
      const weights = new Map(plan.variants.map((variant, i) => [variant.name, plan.weights[i]!]));
      if (of.length === 0) continue;
      views.push({
        model,
        revision: plan.revision,
        variants: variants.map((variant) => ({ ...variant, weightBp: weights.get(variant.name) ?? variant.weightBp })),
        pins: plan.pins.pins,
        fallbacks: plan.fallbacks.map(({ name }) => name),
      });
    }
    return views;
  }

  #variant(model: string, name: string, plans: readonly PlanFigures[]): VariantView {
    const views = plans.flatMap(({ variants }) => variants.filter((variant) => variant.name === name));
    const past = this.#retired.get(`${model}\n${name}`) ?? { attempts: 0, failures: 0 };
    const sum = (of: (view: VariantView) => number): number => views.reduce((total, view) => total + of(view), 0);
    return {
      ...worst(views),
      inFlight: sum((view) => view.inFlight),
      attempts: past.attempts + sum((view) => view.attempts),
      failures: past.failures + sum((view) => view.failures),
      lastFault: views.find(({ lastFault }) => lastFault !== '')?.lastFault ?? '',
    };
  }
}

/** One row for each backend: where workers differ, the one that is worse off. */
export function backendSum(parts: readonly (readonly BackendView[])[]): readonly BackendView[] {
  const rows = new Map<string, BackendView[]>();
  for (const view of parts.flat()) {
    const key = `${view.model}\n${view.variant}`;
    rows.set(key, [...(rows.get(key) ?? []), view]);
  }
  return [...rows.values()].map((views) => ({
    ...worst(views),
    live: views.every(({ live }) => live),
    endpoints: endpointSum(views.map(({ endpoints }) => endpoints)),
  }));
}

/** Each worker judges endpoints by its own calls: shown is the worst that one thinks, and what all have in flight. */
function endpointSum(parts: readonly (readonly EndpointView[])[]): readonly EndpointView[] {
  const rows = new Map<string, EndpointView>();
  for (const view of parts.flat()) {
    const before = rows.get(view.endpoint);
    if (before === undefined) {
      rows.set(view.endpoint, view);
      continue;
    }
    const { endpoint, state, reason } = before.state === 'healthy' ? view : before;
    rows.set(view.endpoint, {
      endpoint,
      state,
      reason,
      ejectedForMs: Math.max(before.ejectedForMs, view.ejectedForMs),
      inFlight: before.inFlight + view.inFlight,
      latencyMs: Math.max(before.latencyMs, view.latencyMs),
      ejections: before.ejections + view.ejections,
    });
  }
  return [...rows.values()];
}

/** Ready is what is ready everywhere. */
function worst<View extends { readonly readiness: string }>(views: readonly View[]): View {
  return views.find(({ readiness }) => readiness !== 'ready') ?? views[0]!;
}
