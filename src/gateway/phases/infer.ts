import type { Clock } from '../../core/clock.ts';
import type { Placed } from '../../core/context.ts';
import type { Tally } from '../../core/observer.ts';
import type { Verdict } from '../../core/verdict.ts';
import type { Lifecycle, Stage } from '../lifecycle.ts';
import type { PartingOptions } from '../parting.ts';
import { Tries } from '../tries.ts';

export interface InferOptions {
  readonly clock: Clock;
  readonly tally: Tally;
  /** Late-bound: the lifecycle is built from its phases. */
  readonly lifecycle: () => Lifecycle;
  /** What several answers to one request need on their way. */
  readonly parting: PartingOptions;
}

/** The call of a backend: waits for a place, tries again elsewhere where that is allowed, and checks what comes back. */
export class Infer implements Stage<Placed> {
  readonly #o: InferOptions;

  constructor(options: InferOptions) {
    this.#o = options;
  }

  /** @hot */
  run(ctx: Placed): Verdict {
    return new Tries(this.#o, ctx).begin();
  }
}
