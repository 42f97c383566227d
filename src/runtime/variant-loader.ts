import type { Clock } from '../core/clock.ts';
import type { VariantChange, VariantResult } from '../core/control-plane.ts';
import type { Route, Variant } from '../core/traffic.ts';
import type { AuditLog } from './audit-log.ts';
import type { LiveSnapshot } from './live-snapshot.ts';
import { allVariants, variantView, weightOf } from './plan-view.ts';
import type { Warmer } from './warmer.ts';

/** Milliseconds an operator waits for a variant to get ready; a larger model goes on warming behind the answer. */
const LOAD_WAIT_MS = 30_000;
/** Milliseconds between looks at whether the last call has ended. */
const DRAIN_STEP_MS = 10;

export interface VariantLoaderOptions {
  readonly live: LiveSnapshot;
  readonly warmer: Warmer;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** Drops what the cache holds of a model. */
  readonly forget: (model: string) => void;
  readonly pause: (ms: number) => Promise<void>;
}

/** Takes single variants out of traffic and brings them back, each change on record before it takes effect. */
export class VariantLoader {
  readonly #o: VariantLoaderOptions;
  readonly #busy = new Set<Variant>();

  constructor(options: VariantLoaderOptions) {
    this.#o = options;
  }

  /** A variant that is ready stays as it is; one that failed is tried again at once, and from its file or server anew. */
  async load(change: VariantChange): Promise<VariantResult> {
    const { route, variant } = this.#find(change);
    if (route === null || variant === null) return UNKNOWN;
    if (variant.state.readiness.is === 'ready') return this.#applied(route.model, variant);
    if (this.#busy.has(variant)) return BUSY;
    const problem = this.#record('variant.load', change, variant, 'warming');
    if (problem !== '') return { is: 'unaudited', problem };
    this.#busy.add(variant);
    const loading = this.#o.warmer.load(route.model, variant).finally(() => this.#busy.delete(variant));
    const failure = await Promise.race([loading, this.#o.pause(LOAD_WAIT_MS)]);
    return typeof failure === 'string' && failure !== ''
      ? { is: 'failed', problem: failure }
      : this.#applied(route.model, variant);
  }

  async unload(change: VariantChange): Promise<VariantResult> {
    const { route, variant } = this.#find(change);
    if (route === null || variant === null) return UNKNOWN;
    if (this.#busy.has(variant)) return BUSY;
    if (variant.state.readiness.is === 'unloaded') return this.#applied(route.model, variant);
    const need = change.force ? '' : needFor(route, variant);
    if (need !== '') return { is: 'needed', problem: need };
    const problem = this.#record('variant.unload', change, variant, 'unloaded');
    if (problem !== '') return { is: 'unaudited', problem };
    this.#busy.add(variant);
    try {
      this.#o.warmer.unload(route.model, variant);
      await this.#drained(variant, route.timeoutMs);
      await variant.backend.close();
      // The next load may find another file at the same place.
      this.#o.forget(route.model);
    } finally {
      this.#busy.delete(variant);
    }
    return this.#applied(route.model, variant);
  }

  #find(change: VariantChange): { route: Route | null; variant: Variant | null } {
    const route = this.#o.live.current.route(change.model);
    const variant = route === null ? undefined : allVariants(route).find((candidate) => candidate.name === change.variant);
    return { route, variant: variant ?? null };
  }

  /** As it is now: the plan may have changed while the variant did. */
  #applied(model: string, variant: Variant): VariantResult {
    return { is: 'applied', variant: variantView(variant, weightOf(this.#o.live.current.route(model)!, variant)) };
  }

  /** Empty when it stands on record. */
  #record(action: string, { model, actor, reason, force }: VariantChange, variant: Variant, after: string): string {
    const before = variant.state.readiness.is;
    try {
      this.#o.audit.write({
        action,
        actor,
        model,
        before: { variant: variant.name, readiness: before },
        after: { variant: variant.name, readiness: after, force },
        reason,
      });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Calls that were let in have their own deadlines; what is left after them is cut with the backend. */
  async #drained(variant: Variant, timeoutMs: number): Promise<void> {
    const endMs = this.#o.clock.nowMs() + timeoutMs;
    while (variant.gate.inFlight > 0 && this.#o.clock.nowMs() < endMs) await this.#o.pause(DRAIN_STEP_MS);
  }
}

const UNKNOWN: VariantResult = Object.freeze({ is: 'unknown' });
const BUSY: VariantResult = Object.freeze({ is: 'busy' });

/** Why a variant may not simply go: who would answer in its place. Empty when nobody needs it now. */
function needFor(route: Route, variant: Variant): string {
  if (variant.state.readiness.is !== 'ready' || variant.role === 'shadow') return '';
  if (variant.role === 'stable') {
    return `"${variant.name}" is the stable variant of "${route.model}": without it the model has no answer. Send "force": true if that is meant.`;
  }
  const weightBp = weightOf(route, variant);
  if (weightBp === 0) return '';
  return `"${variant.name}" carries ${weightBp / 100} % of the traffic: set its weight to 0 first, or send "force": true to let stable answer for it.`;
}
