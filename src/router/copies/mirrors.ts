import type { TrafficPlan, Variant } from '../../core/traffic.ts';
import { type BasisPoints, basisPoints, type Millis } from '../../core/units.ts';
import { isSampled } from './copy-sample.ts';

const MS_PER_SECOND = 1_000;

export interface MirrorOptions {
  /** Share of a canary's requests that stable is asked too. */
  readonly sample: BasisPoints;
  /** The same while a rollout watches. */
  readonly watchedSample: BasisPoints;
  /** At least so many a second in each direction while a rollout watches. */
  readonly watchedPerSecond: number;
  /** Whether a rollout watches the model now. */
  readonly isWatched: () => boolean;
}

/** Who is asked what a caller has been answered, so that stable and canaries can be compared on the same requests. */
export class Mirrors {
  readonly #o: MirrorOptions;
  readonly #intervalMs: number;
  /** When the least rate asks for the next one, by canary. */
  readonly #fromCanaryMs = new Map<string, number>();
  readonly #fromStableMs = new Map<string, number>();

  constructor(options: MirrorOptions) {
    this.#o = options;
    this.#intervalMs = options.watchedPerSecond > 0 ? MS_PER_SECOND / options.watchedPerSecond : Number.POSITIVE_INFINITY;
  }

  /** False while nothing would ever be mirrored. @hot */
  get isOn(): boolean {
    return this.#o.sample > 0 || this.#o.isWatched();
  }

  /** Whether stable is to be asked what `canary` has answered. */
  mirrorsCanary(canary: Variant, request: MirrorRequest): boolean {
    return this.#isTaken(this.#sample, canary, request, this.#fromCanaryMs);
  }

  /**
   * Whether `canary` is to be asked what stable has answered: as often as the other way round, so that its load grows by its own sample
   * and not by that of all the traffic of stable.
   */
  mirrorsStable(plan: TrafficPlan, index: number, request: MirrorRequest): boolean {
    const stableBp = plan.weights[0]!;
    const share = stableBp === 0 ? 1 : Math.min(1, plan.weights[index]! / stableBp);
    return this.#isTaken(basisPoints(this.#sample * share), plan.variants[index]!, request, this.#fromStableMs);
  }

  get #sample(): BasisPoints {
    const { sample, watchedSample, isWatched } = this.#o;
    return isWatched() && watchedSample > sample ? watchedSample : sample;
  }

  #isTaken(sample: BasisPoints, canary: Variant, request: MirrorRequest, dueMs: Map<string, number>): boolean {
    const { affinity, requestId, nowMs } = request;
    const isDue = this.#o.isWatched() && nowMs >= (dueMs.get(canary.name) ?? Number.NEGATIVE_INFINITY);
    const isTaken =
      (isDue && this.#intervalMs < Number.POSITIVE_INFINITY) || isSampled(sample, saltOf(canary), affinity, requestId);
    // Whoever is taken by the sample counts for the least rate as well.
    if (isTaken) dueMs.set(canary.name, nowMs + this.#intervalMs);
    return isTaken;
  }
}

export interface MirrorRequest {
  readonly affinity: number;
  readonly requestId: string;
  readonly nowMs: Millis;
}

/** Apart from the salts of shadows, which are their names. */
const saltOf = (canary: Variant): string => `mirror ${canary.name}`;
