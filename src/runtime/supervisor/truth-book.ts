import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/schema.ts';
import type { PlanMember, TrafficPlan } from '../../core/traffic.ts';
import type { BookTruth, PlanState, VariantName } from '../ipc/messages.ts';
import { stateOf } from '../plan-state.ts';
import { baseOf, planUnder, statedPlan } from './plans/plan-base.ts';
import type { LastPlan } from './plans/plan-history.ts';
import { planOfRecord } from './plans/plan-record.ts';

/** Where plans of the past are found. */
export interface PastPlans {
  last(model: string): LastPlan;
}

/** Of a gateway that has had no plan yet. */
export const NO_PAST: PastPlans = { last: () => ({ record: null, revision: 0 }) };

/** The one place that knows what was changed since the config was written: plans, variants taken out, keys revoked. Workers are told from here. */
export class TruthBook {
  readonly #config: Config;
  readonly #past: PastPlans;
  readonly #plans = new Map<string, TrafficPlan<PlanMember>>();
  /** As config alone states them, and workers build them. */
  readonly #stated = new Map<string, TrafficPlan<PlanMember>>();
  readonly #unloaded = new Map<string, VariantName>();
  readonly #revoked: Set<string>;

  constructor(config: Config, revokedKeys: ReadonlySet<string>, past: PastPlans = NO_PAST) {
    this.#config = config;
    this.#past = past;
    this.#revoked = new Set(revokedKeys);
    for (const [model, modelConfig] of Object.entries(config.models)) {
      const stated = statedPlan(model, modelConfig);
      this.#stated.set(model, stated);
      this.#plans.set(model, planSince(past.last(model), config, model, stated));
    }
  }

  get config(): Config {
    return this.#config;
  }

  /** Sorted by model, as workers have them. */
  get models(): readonly string[] {
    return [...this.#plans.keys()].sort();
  }

  plan(model: string): TrafficPlan<PlanMember> | null {
    return this.#plans.get(model) ?? null;
  }

  replan(model: string, plan: TrafficPlan<PlanMember>): PlanState {
    this.#plans.set(model, plan);
    return stateOf(model, plan);
  }

  knows({ model, variant }: VariantName): boolean {
    const { models } = this.#config;
    return Object.hasOwn(models, model) && models[model]!.variants.some(({ name }) => name === variant);
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

  truth(): BookTruth {
    const plans: PlanState[] = [];
    for (const [model, plan] of this.#plans) if (plan !== this.#stated.get(model)) plans.push(stateOf(model, plan));
    return { plans, unloaded: [...this.#unloaded.values()], revokedKeys: [...this.#revoked] };
  }

  /**
   * The book for a changed config. Plans that an operator has changed stay, unless the config itself has new words for that model; a
   * variant that was taken out stays out, unless the config says something new about it.
   */
  under(config: Config): TruthBook {
    const next = new TruthBook(config, this.#revoked, this.#past);
    for (const [model, plan] of this.#plans) {
      const [before, after] = [this.#config.models[model]!, config.models[model]];
      if (after === undefined) continue;
      next.#plans.set(model, planUnder({ plan, base: baseOf(before) }, baseOf(after), next.#stated.get(model)!));
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

/** The plan a model had last, where its config has said nothing new since; else the one that config states, under a later revision. */
function planSince(
  { record, revision }: LastPlan,
  { models }: Config,
  model: string,
  stated: TrafficPlan<PlanMember>,
): TrafficPlan<PlanMember> {
  if (record === null) return revision === 0 ? stated : { ...stated, revision: revision + 1 };
  return planUnder({ plan: planOfRecord(record, stated.shadows), base: record.base }, baseOf(models[model]!), stated);
}

const keyOf = ({ model, variant }: VariantName): string => `${model}\n${variant}`;
