import { isDeepStrictEqual } from 'node:util';
import type { ModelConfig } from '../../config/model-schema.ts';
import type { Config } from '../../config/schema.ts';
import type { Role, TrafficPlan } from '../../core/traffic.ts';
import { reweigh } from '../../router/traffic-plan.ts';
import { firstPlan } from '../first-plan.ts';
import type { PlanState, Truth, VariantName } from '../ipc/messages.ts';

/** A variant as plans know it; the rest of it lives in the workers. */
export interface NamedVariant {
  readonly name: string;
  readonly role: Role;
}

/** The one place that knows what was changed since the start: plans, variants taken out, keys revoked. Workers are told from here. */
export class TruthBook {
  readonly #config: Config;
  readonly #plans = new Map<string, TrafficPlan<NamedVariant>>();
  readonly #unloaded = new Map<string, VariantName>();
  readonly #revoked: Set<string>;

  constructor(config: Config, revokedKeys: ReadonlySet<string>) {
    this.#config = config;
    this.#revoked = new Set(revokedKeys);
    for (const [model, modelConfig] of Object.entries(config.models)) this.#plans.set(model, planOfConfig(model, modelConfig));
  }

  /** Sorted by model, as workers have them. */
  get models(): readonly string[] {
    return [...this.#plans.keys()].sort();
  }

  plan(model: string): TrafficPlan<NamedVariant> | null {
    return this.#plans.get(model) ?? null;
  }

  replan(model: string, plan: TrafficPlan<NamedVariant>): PlanState {
    this.#plans.set(model, plan);
    return stateOf(model, plan);
  }

  knows({ model, variant }: VariantName): boolean {
    return this.#config.models[model]?.variants.some(({ name }) => name === variant) ?? false;
  }

  isUnloaded(name: VariantName): boolean {
    return this.#unloaded.has(keyOf(name));
  }

  setUnloaded(name: VariantName, unloaded: boolean): void {
    if (unloaded) this.#unloaded.set(keyOf(name), name);
    else this.#unloaded.delete(keyOf(name));
  }

  revoke(keyId: string): void {
    this.#revoked.add(keyId);
  }

  get revokedKeys(): ReadonlySet<string> {
    return this.#revoked;
  }

  /** Issued keys belong to no config, and are kept elsewhere. */
  truth(): Omit<Truth, 'issuedKeys'> {
    const plans: PlanState[] = [];
    for (const [model, plan] of this.#plans) if (plan.revision > 1) plans.push(stateOf(model, plan));
    return { plans, unloaded: [...this.#unloaded.values()], revokedKeys: [...this.#revoked] };
  }

  /**
   * The book for a changed config. Weights that an operator has set stay, unless the config itself has new ones for that model; a variant
   * that was taken out stays out, unless the config says something new about it.
   */
  under(config: Config): TruthBook {
    const next = new TruthBook(config, this.#revoked);
    for (const [model, plan] of this.#plans) {
      const [before, after] = [this.#config.models[model]!, config.models[model]];
      if (after === undefined) continue;
      next.#plans.set(model, planUnder(plan, before, after, next.#plans.get(model)!));
    }
    for (const name of this.#unloaded.values()) {
      const entryIn = ({ models }: Config): unknown =>
        models[name.model]?.variants.find((variant) => variant.name === name.variant);
      const after = entryIn(config);
      if (after !== undefined && isDeepStrictEqual(after, entryIn(this.#config))) next.setUnloaded(name, true);
    }
    return next;
  }
}

function planOfConfig(model: string, { variants }: ModelConfig): TrafficPlan<NamedVariant> {
  return firstPlan<NamedVariant>(
    model,
    variants.map(({ name, role, weight }) => ({ variant: { name, role }, weightBp: weight })),
  );
}

/** `fresh` is what config states alone. */
function planUnder(
  plan: TrafficPlan<NamedVariant>,
  before: ModelConfig,
  after: ModelConfig,
  fresh: TrafficPlan<NamedVariant>,
): TrafficPlan<NamedVariant> {
  const { shadows } = fresh;
  if (isDeepStrictEqual(sharesOf(before), sharesOf(after))) return { ...plan, shadows };
  const weights = new Map(fresh.variants.map(({ name }, i) => [name, fresh.weights[i]!]));
  const sameMembers = isDeepStrictEqual(plan.variants, fresh.variants);
  // Where the variants are the same, callers stay with theirs as far as the new weights let them.
  const reweighed = sameMembers ? reweigh(plan, weights) : [];
  if (!Array.isArray(reweighed)) return { ...reweighed, shadows };
  // Whoever has seen the former plan must not change this one without looking.
  return { ...fresh, revision: plan.revision + 1 };
}

/** What of a model's config decides about its traffic. */
const sharesOf = ({ variants }: ModelConfig): unknown =>
  variants.filter(({ role }) => role !== 'shadow').map(({ name, role, weight }) => [name, role, weight]);

function stateOf(model: string, { revision, weights, slots }: TrafficPlan<NamedVariant>): PlanState {
  return { model, revision, weights, slots };
}

const keyOf = ({ model, variant }: VariantName): string => `${model}\n${variant}`;
