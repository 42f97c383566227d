import type { InputRule } from '../config/model-schema.ts';
import { ConfigError } from '../config/problem.ts';
import type { Signature } from '../core/signature.ts';
import type { Route, Variant } from '../core/traffic.ts';
import { compileContract } from '../protocols/contract/compile-contract.ts';
import { ruleProblems } from '../protocols/contract/rule-problems.ts';
import { signatureMismatch } from '../protocols/contract/signature-mismatch.ts';
import type { LiveSnapshot } from './live-snapshot.ts';

/** Waits between tries to warm a backend that cannot be reached: doubling, so that a dead one costs next to nothing. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

export interface WarmerOptions {
  readonly live: LiveSnapshot;
  /** Rules and row cap by model, as config narrows the signature. */
  readonly narrowing: ReadonlyMap<string, { readonly rules: Readonly<Record<string, InputRule>>; readonly maxRows: number }>;
  readonly configFile: string;
  readonly onState: (model: string, variant: Variant) => void;
}

/** Brings variants to traffic: a variant carries none before its backend has stated a signature that fits its model's. */
export class Warmer {
  readonly #o: WarmerOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
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

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #try(model: string, variant: Variant, waitMs: number, atStart: boolean): Promise<void> {
    const problem = await this.#warm(model, variant);
    if (this.#closed) return;
    this.#o.onState(model, variant);
    if (problem === '') return;
    if (variant.backend.kind === 'onnx') {
      if (atStart)
        throw new ConfigError(this.#o.configFile, [{ path: `models.${model}.variants (${variant.name})`, message: problem }]);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#try(model, variant, Math.min(waitMs * 2, LONGEST_WAIT_MS), false);
    }, waitMs);
    this.#timers.add(timer);
  }

  /** Empty when the variant is ready now, else why not. */
  async #warm(model: string, variant: Variant): Promise<string> {
    let signature: Signature;
    try {
      signature = await variant.backend.warm();
    } catch (error) {
      const reason = (error as Error).message;
      variant.state.readiness = { is: 'warming', reason };
      return reason;
    }
    const mismatch = this.#adopt(this.#o.live.current.route(model)!, variant, signature);
    variant.state.readiness = mismatch === '' ? { is: 'ready', signature } : { is: 'mismatched', reason: mismatch };
    return mismatch;
  }

  /** Makes the stable variant's signature the model's, or says why another's does not fit it. */
  #adopt(route: Route, variant: Variant, signature: Signature): string {
    if (route.contract !== null) return signatureMismatch(route.contract.signature, signature);
    if (variant.role !== 'stable') return 'waits for the stable variant to state its signature';
    const { rules, maxRows } = this.#o.narrowing.get(route.model)!;
    const problems = ruleProblems(signature, rules);
    if (problems.length > 0) return problems.join('; ');
    this.#o.live.replace({ ...route, contract: compileContract(signature, rules, maxRows) });
    return '';
  }
}
