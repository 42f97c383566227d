import { type ArmEvidence, CELLS, type EvidenceBook, type ModelEvidence, noEvidence, type Watched } from '../../core/evidence.ts';

/** What this process has seen of the variants of watched models: sums by cell of callers, in arrays that are made when a model is watched. */
export class EvidenceCells implements EvidenceBook {
  readonly #byModel = new Map<string, WatchedArms>();

  /** Watches these models and no others. One that is watched under the same epoch already keeps what was noted. */
  watch(all: readonly Watched[]): void {
    const named = new Set(all.map(({ model }) => model));
    for (const model of this.#byModel.keys()) if (!named.has(model)) this.#byModel.delete(model);
    for (const { model, epoch, variants } of all) {
      if (this.#byModel.get(model)?.epoch === epoch) continue;
      this.#byModel.set(model, { epoch, byVariant: new Map(variants.map((variant) => [variant, noEvidence()])) });
    }
  }

  isWatched(model: string): boolean {
    return this.#byModel.has(model);
  }

  /** All that was noted since the epoch began; null when `model` is not watched under it. */
  read(model: string, epoch: number): ModelEvidence | null {
    const watched = this.#byModel.get(model);
    return watched === undefined || watched.epoch !== epoch ? null : { arms: [...watched.byVariant.values()] };
  }

  /** @hot */
  request(
    model: string,
    variant: string,
    affinity: number,
    end: 'answered' | 'cached' | 'failed',
    us: number,
    costNano: number,
  ): void {
    const arm = this.#arm(model, variant);
    if (arm === undefined) return;
    const cell = cellOf(affinity);
    arm.requests[cell]!++;
    if (end === 'failed') arm.failures[cell]!++;
    if (end !== 'answered') return;
    arm.answered[cell]!++;
    // A clock that did not move between two looks took no time that has a logarithm.
    arm.logUs[cell]! += Math.log(us > 1 ? us : 1);
    arm.costNano[cell]! += costNano;
  }

  /** @hot */
  pair(model: string, variant: string, affinity: number, disagreed: boolean): void {
    const arm = this.#arm(model, variant);
    if (arm === undefined) return;
    const cell = cellOf(affinity);
    arm.pairs[cell]!++;
    if (disagreed) arm.disagreements[cell]!++;
  }

  #arm(model: string, variant: string): ArmEvidence | undefined {
    // Nothing is watched nearly always.
    return this.#byModel.size === 0 ? undefined : this.#byModel.get(model)?.byVariant.get(variant);
  }
}

interface WatchedArms {
  readonly epoch: number;
  readonly byVariant: ReadonlyMap<string, ArmEvidence>;
}

/**
 * The lowest bits of the sticky hash. A plan mixes the hash with its salt once more before it deals, so that the callers of a canary, however
 * few, come from all cells.
 */
const cellOf = (affinity: number): number => affinity % CELLS;
