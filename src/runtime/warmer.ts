import { ConfigError } from '../config/problem.ts';
import type { Offload } from '../core/offload.ts';
import type { Signature, TensorSpec } from '../core/signature.ts';
import type { Route, Variant } from '../core/traffic.ts';
import { OffloadedContract } from '../protocols/contract/offloaded-contract.ts';
import { ruleProblems } from '../protocols/contract/rule-problems.ts';
import { signatureMismatch } from '../protocols/contract/signature-mismatch.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import type { Narrowing } from './narrowing.ts';
import { allVariants, reasonOf } from './plan-view.ts';

/** Waits between tries to warm a backend that cannot be reached: doubling, so that a dead one costs next to nothing. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

export interface WarmerOptions {
  readonly live: LiveSnapshot;
  readonly offload: Offload;
  /** Rules by model, as config narrows the signature. */
  readonly narrowing: ReadonlyMap<string, Narrowing>;
  readonly configFile: string;
  readonly onState: (model: string, variant: Variant) => void;
}

/** Brings variants to traffic: a variant carries none before its backend has stated a signature that fits its model's. */
export class Warmer {
  readonly #o: WarmerOptions;
  readonly #timers = new Map<Variant, NodeJS.Timeout>();
  /** Raised when a variant is loaded or unloaded: what was tried before that counts no more. */
  readonly #rounds = new Map<Variant, number>();
  /** Model files are loaded once, whatever their variant waits for. */
  readonly #loaded = new Map<Variant, Signature>();
  /** Signatures of variants whose endpoints are all out. */
  readonly #lost = new Map<Variant, Signature>();
  #closed = false;

  constructor(options: WarmerOptions) {
    this.#o = options;
  }

  /**
   * Loads every model file and tries every server once. A file that cannot be loaded is a fault of the config and rejects; a server that
   * cannot be reached is tried again in the background.
   */
  async start(): Promise<void> {
    await Promise.all(this.#o.live.current.routes.map((route) => this.#startRoute(route)));
  }

  async #startRoute(route: Route): Promise<void> {
    // Stable comes first: its signature is the model's.
    const [stable, ...canaries] = route.plan.variants;
    await this.#try(route.model, stable!, FIRST_WAIT_MS, true);
    const others = [...canaries, ...route.plan.shadows.map((share) => share.variant)];
    await Promise.all(others.map((variant) => this.#try(route.model, variant, FIRST_WAIT_MS, true)));
  }

  /** Tries a variant anew, with a backend as on the first day. Empty when it is ready now, else why not; a server is tried again. */
  async load(model: string, variant: Variant): Promise<string> {
    if (this.#closed) return 'the gateway is shutting down';
    const round = this.#nextRound(variant);
    variant.state.readiness = { is: 'warming', reason: 'is being loaded' };
    await variant.backend.close();
    if (this.#closed || this.#isOver(variant, round)) return 'it was unloaded meanwhile';
    await this.#try(model, variant, FIRST_WAIT_MS, false);
    return reasonOf(variant.state.readiness);
  }

  /** Takes a variant out: no request is sent to it from here on, and nothing is tried before it is loaded. */
  unload(model: string, variant: Variant): void {
    this.#nextRound(variant);
    variant.state.readiness = { is: 'unloaded', reason: 'taken out by an operator' };
    variant.gate.dismiss();
    this.#o.onState(model, variant);
  }

  /** All endpoints of a variant are out, or one has come back: nothing is tried here, since they look after themselves. */
  follow(model: string, variantName: string, lost: string): void {
    const route = this.#o.live.current.route(model);
    const variant = route === null ? undefined : allVariants(route).find(({ name }) => name === variantName);
    if (variant === undefined || this.#closed) return;
    const { readiness } = variant.state;
    if (lost !== '' && readiness.is === 'ready') {
      this.#lost.set(variant, readiness.signature);
      variant.state.readiness = { is: 'lost', reason: lost };
      variant.gate.dismiss();
    } else if (lost === '' && readiness.is === 'lost') {
      variant.state.readiness = { is: 'ready', signature: this.#lost.get(variant)! };
    } else return;
    this.#o.onState(model, variant);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #try(model: string, variant: Variant, waitMs: number, atStart: boolean): Promise<void> {
    if (variant.state.readiness.is === 'unloaded') return;
    const round = this.#rounds.get(variant) ?? 0;
    const outcome = await this.#warm(model, variant, round);
    if (this.#closed || outcome.is === 'over') return;
    this.#o.onState(model, variant);
    if (outcome.is === 'ready') return;
    // A file says the same tomorrow; one that only waits for its model's stable variant is asked again like a server.
    if (variant.backend.kind === 'onnx' && outcome.is === 'fails') {
      if (!atStart) return;
      const path = `models.${model}.variants (${variant.name})`;
      throw new ConfigError(this.#o.configFile, [{ path, message: outcome.reason }]);
    }
    const timer = setTimeout(() => {
      this.#timers.delete(variant);
      void this.#try(model, variant, Math.min(waitMs * 2, LONGEST_WAIT_MS), false);
    }, waitMs);
    this.#timers.set(variant, timer);
  }

  #nextRound(variant: Variant): number {
    clearTimeout(this.#timers.get(variant));
    this.#timers.delete(variant);
    this.#loaded.delete(variant);
    const round = (this.#rounds.get(variant) ?? 0) + 1;
    this.#rounds.set(variant, round);
    return round;
  }

  #isOver(variant: Variant, round: number): boolean {
    return (this.#rounds.get(variant) ?? 0) !== round;
  }

  async #warm(model: string, variant: Variant, round: number): Promise<Outcome> {
    let signature: Signature;
    try {
      signature = this.#loaded.get(variant) ?? (await variant.backend.warm());
    } catch (error) {
      if (this.#isOver(variant, round)) return { is: 'over' };
      const reason = (error as Error).message;
      variant.state.readiness = { is: 'warming', reason };
      return { is: 'fails', reason };
    }
    if (this.#isOver(variant, round)) return { is: 'over' };
    if (variant.backend.kind === 'onnx') this.#loaded.set(variant, signature);
    const outcome = this.#adopt(this.#o.live.current.route(model)!, variant, signature);
    if (outcome.is === 'ready') variant.state.readiness = { is: 'ready', signature };
    else variant.state.readiness = { is: outcome.is === 'waits' ? 'warming' : 'mismatched', reason: outcome.reason };
    return outcome;
  }

  /** Makes the stable variant's signature the model's, or says why another's does not fit it. */
  #adopt(route: Route, variant: Variant, signature: Signature): Fit {
    if (route.contract !== null) return outcomeOf(signatureMismatch(route.contract.signature, signature));
    if (variant.role !== 'stable') return { is: 'waits', reason: 'waits for the stable variant to state its signature' };
    if (signature.inputs.length === 0 && signature.outputs.length === 0) return outcomeOf(NO_SIGNATURE);
    const narrowing = this.#o.narrowing.get(route.model)!;
    const { rules, maxRows, rowsAgree } = narrowing;
    const problems = [...ruleProblems(signature, rules), ...guardProblems(signature, narrowing)];
    if (problems.length > 0) return outcomeOf(problems.join('; '));
    const parts = { signature, rules, maxRows, rowsAgree };
    this.#o.live.replace({ ...route, contract: new OffloadedContract(parts, this.#o.offload) });
    return { is: 'ready' };
  }
}

type Fit =
  | { readonly is: 'ready' }
  /** It cannot be loaded or reached, or does not fit. */
  | { readonly is: 'fails'; readonly reason: string }
  | { readonly is: 'waits'; readonly reason: string };

/** Over: the variant was loaded or unloaded meanwhile. */
const NO_SIGNATURE =
  "its server states neither inputs nor outputs, so no request could be judged; declare them there, as in the inputs and outputs of MLServer's model-settings.json";

type Outcome = Fit | { readonly is: 'over' };

const outcomeOf = (problem: string): Fit => (problem === '' ? { is: 'ready' } : { is: 'fails', reason: problem });

/** A guard that looks at a tensor which does not exist would let everything pass. */
function guardProblems(signature: Signature, narrowing: Narrowing): string[] {
  const misses = (side: 'input' | 'output', specs: readonly TensorSpec[], names: readonly string[]): string[] =>
    names
      .filter((name) => !specs.some((spec) => spec.name === name))
      .map((name) => `an ${side} guard looks at "${name}"; expected one of ${specs.map((spec) => spec.name).join(', ')}`);
  return [
    ...misses('input', signature.inputs, narrowing.guarded.input),
    ...misses('output', signature.outputs, narrowing.guarded.output),
  ];
}
