import type { Tensor } from './inference.ts';
import type { Waiting } from './offload.ts';
import type { Maybe } from './verdict.ts';

/** What a guard says. Ordered: of several rulings the highest stands. */
export const Ruling = { Allow: 0, Flag: 1, Rewrite: 2, Block: 3, Error: 4 } as const;
export type Ruling = (typeof Ruling)[keyof typeof Ruling];

/** Ruling names as metrics and logs spell them, by number. */
export const RULING_NAMES: readonly string[] = ['allow', 'flag', 'rewrite', 'block', 'error'];

/** What a chain of guards looks at and may change; one object a request and side. */
export interface Inspection {
  readonly tenant: string;
  readonly model: string;
  readonly side: 'input' | 'output';
  /** A rewriting guard puts another tensor in the place of this one; bytes that came from outside are never changed in place. */
  readonly tensors: Tensor[];
  /** The guard and the rule that decided, when the ruling is not Allow. Names from config, never content. */
  guard: string;
  rule: string;
  /** Guards that flagged, for the log line. */
  readonly flags: string[];
}

/** The guards of one model and side, in order of config. */
export interface GuardChain {
  /** Digest of names, settings and order; part of every cache key. */
  readonly policy: string;
  /**
   * Allow, Flag or Rewrite let the request pass. Block refuses it as content. Error means a guard that fails closed could not judge.
   * `waiting` waits where a thread does the work.
   */
  inspect(inspection: Inspection, waiting: Waiting): Maybe<Ruling>;
}
