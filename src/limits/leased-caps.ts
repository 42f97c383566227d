import type { CapId, Millis } from '../core/units.ts';
import type { LeaseOptions } from './lease-options.ts';
import { LeasedConcurrencyCap } from './leased-cap.ts';

/** All caps of one worker that are leased: hands each recall to its cap, and gives back what none of them needs. */
export class LeasedCaps {
  readonly #o: LeaseOptions;
  readonly #caps = new Map<CapId, LeasedConcurrencyCap>();
  /** Those that hold places. */
  readonly #lent = new Set<LeasedConcurrencyCap>();

  constructor(options: LeaseOptions) {
    this.#o = options;
    options.office.onRecall((id, places) => {
      const cap = this.#caps.get(id);
      if (cap === undefined) options.office.givePlaces(id, 0);
      else cap.recall(places);
    });
  }

  /** The cap with this number, with the capacity that the ledger has for it. */
  cap(id: CapId, capacity: number): LeasedConcurrencyCap {
    const cap = new LeasedConcurrencyCap(id, capacity, this.#o, (one) => this.#lent.add(one));
    this.#caps.set(id, cap);
    return cap;
  }

  /** To be called every 100 ms or so. */
  sweep(nowMs: Millis): void {
    for (const cap of this.#lent) {
      if (cap.sweep(nowMs)) this.#lent.delete(cap);
    }
  }
}
