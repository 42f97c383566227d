/** One request that the demo sends, and what came of it. */

import type { SampleInput } from './sample-input.ts';

export interface Errand {
  /**
   * A held-out sample sent for the first time, one sent again, one that must be refused, or one of a burst that is over its tenant's
   * rate in part.
   */
  readonly kind: 'sample' | 'repeat' | 'wrong' | 'burst';
  readonly face: 'rest' | 'grpc';
  readonly tenant: string;
  /** The API key; empty sends none. */
  readonly key: string;
  readonly model: string;
  /** Sent as `x-sluice-session`. */
  readonly caller: string;
  readonly input: SampleInput;
  /** The right answer, or -1 where there is none. */
  readonly label: number;
}

export interface Outcome {
  readonly errand: Errand;
  /** HTTP status, or the name of a gRPC status. */
  readonly status: string;
  /** Code of the fault; empty for an answer. */
  readonly fault: string;
  /** What the gateway says about it. */
  readonly message: string;
  /** The variant that answered, how the cache took part, and the price, as the answer's header fields say. */
  readonly variant: string;
  readonly cache: string;
  readonly costNano: number;
  /** What the model says; -1 without an answer. */
  readonly label: number;
  /** By the caller's clock. */
  readonly latencyMs: number;
}

/** Can send errands of one face. */
export interface Caller {
  /** Rejects only when there was neither an answer nor a refusal. */
  send(errand: Errand): Promise<Outcome>;
  close(): void;
}

/** Longer than any answer of the demo may take; then the demo has failed. */
export const CALL_LIMIT_MS = 20_000;
