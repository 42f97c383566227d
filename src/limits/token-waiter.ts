import type { BucketId, Millis } from '../core/units.ts';

/** One request that waits for tokens the office has to be asked for. */
export class TokenWaiter {
  readonly buckets: readonly BucketId[];
  readonly tokens: number;
  readonly sinceMs: Millis;
  readonly promise: Promise<number | null>;
  readonly #resolve: (result: number | null) => void;
  /** Buckets whose answer is still to come. */
  missing = 0;
  rounds = 0;

  constructor(buckets: readonly BucketId[], tokens: number, sinceMs: Millis) {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.buckets = buckets;
    this.tokens = tokens;
    this.sinceMs = sinceMs;
    this.promise = promise;
    this.#resolve = resolve;
  }

  settle(result: number | null): void {
    this.#resolve(result);
  }
}
