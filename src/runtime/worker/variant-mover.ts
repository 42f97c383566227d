import type { Clock } from '../../core/clock.ts';
import type { Route, Variant } from '../../core/traffic.ts';
import type { VariantName } from '../ipc/messages.ts';
import type { LiveSnapshot } from '../live-snapshot.ts';
import { allVariants } from '../plan-view.ts';
import type { Warmer } from '../warmer.ts';

/** Milliseconds an operator waits for a variant to get ready; a larger model goes on warming behind the answer. */
export const LOAD_WAIT_MS = 30_000;
/** Milliseconds between looks at whether the last call has ended. */
const DRAIN_STEP_MS = 10;

export interface VariantMoverOptions {
  readonly live: LiveSnapshot;
  readonly warmer: Warmer;
  readonly clock: Clock;
  /** Drops what the cache holds of a model. */
  readonly forget: (model: string) => void;
  readonly pause: (ms: number) => Promise<void>;
}

/** Takes single variants of this process out of traffic and brings them back, as the supervisor has decided and put on record. */
export class VariantMover {
  readonly #o: VariantMoverOptions;

  constructor(options: VariantMoverOptions) {
    this.#o = options;
  }

  /** Gives why the variant is not ready; empty when it is, and when it goes on warming. One that is ready stays as it is. */
  async load(name: VariantName): Promise<string> {
    const { route, variant } = this.#find(name);
    if (variant.state.readiness.is === 'ready') return '';
    const failure = await Promise.race([this.#o.warmer.load(route.model, variant), this.#o.pause(LOAD_WAIT_MS)]);
    return typeof failure === 'string' ? failure : '';
  }

  async unload(name: VariantName): Promise<void> {
    const { route, variant } = this.#find(name);
    if (variant.state.readiness.is === 'unloaded') return;
    this.#o.warmer.unload(route.model, variant);
    await this.#drained(variant, route.timeoutMs);
    await variant.backend.close();
    // The next load may find another file at the same place.
    this.#o.forget(route.model);
  }

  /** Brings all variants to where the supervisor has them: `unloaded` are those that are to be out. */
  settle(unloaded: readonly VariantName[]): void {
    for (const route of this.#o.live.current.routes) {
      for (const variant of allVariants(route)) {
        const name = { model: route.model, variant: variant.name };
        const out = unloaded.some((each) => each.model === name.model && each.variant === name.variant);
        if (out === (variant.state.readiness.is === 'unloaded')) continue;
        // What becomes of it is told by the variant's state; nobody waits for it here.
        void (out ? this.unload(name) : this.load(name));
      }
    }
  }

  /** The supervisor names only what its config has, and that is ours. */
  #find({ model, variant: name }: VariantName): { route: Route; variant: Variant } {
    const route = this.#o.live.current.route(model);
    const variant = route === null ? undefined : allVariants(route).find((candidate) => candidate.name === name);
    if (route === null || variant === undefined) throw new Error(`This worker has no variant "${name}" of a model "${model}".`);
    return { route, variant };
  }

  /** Calls that were let in have their own deadlines; what is left after them is cut with the backend. */
  async #drained(variant: Variant, timeoutMs: number): Promise<void> {
    const endMs = this.#o.clock.nowMs() + timeoutMs;
    while (variant.gate.inFlight > 0 && this.#o.clock.nowMs() < endMs) await this.#o.pause(DRAIN_STEP_MS);
  }
}
