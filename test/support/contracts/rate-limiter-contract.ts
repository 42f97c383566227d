import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimiter } from '../../../src/core/limits.ts';
import type { BucketId, Millis } from '../../../src/core/units.ts';
import type { Maybe } from '../../../src/core/verdict.ts';

/**
 * What every RateLimiter promises. `make` gets one row for each bucket and hands out ids in the same order; where the limiter reads a clock
 * of its own, `setClock` keeps it at the time of each call. One that takes more than it was asked for is `exact` only within its bounds.
 */

export interface BucketSpec {
  readonly ratePerSecond: number;
  readonly burst: number;
}

const SEED = 20_260;
const START = 5_000;
const id = (n: number): BucketId => n as BucketId;
const at = (ms: number): Millis => (START + ms) as Millis;

export interface LimiterMaker {
  make(buckets: readonly BucketSpec[]): RateLimiter;
  setClock(nowMs: Millis): void;
  readonly exact: boolean;
}

export function rateLimiterContract(name: string, maker: LimiterMaker): void {
  const make = (buckets: readonly BucketSpec[]): Timed => new Timed(maker, buckets);
  describe(`${name} as a RateLimiter`, () => {
    it('admits a whole burst at once and not one more', async () => {
      const limiter = make([{ ratePerSecond: 3, burst: 10 }]);
      for (let i = 0; i < 10; i++) expect(await limiter.take([id(0)], 1, at(0))).toBe(0);
      expect(await limiter.take([id(0)], 1, at(0))).toBe(334);
    });

    it('admits again after the wait it told, and not a millisecond earlier', async () => {
      const limiter = make([{ ratePerSecond: 10, burst: 1 }]);
      await limiter.take([id(0)], 1, at(0));
      expect(await limiter.take([id(0)], 1, at(99))).toBe(1);
      expect(await limiter.take([id(0)], 1, at(100))).toBe(0);
    });

    it('takes from all buckets or from none', async () => {
      const limiter = make([
        { ratePerSecond: 1, burst: 5 },
        { ratePerSecond: 1, burst: 1 },
      ]);
      expect(await limiter.take([id(0), id(1)], 1, at(0))).toBe(0);
      expect(await limiter.take([id(0), id(1)], 1, at(0))).toBe(1_000);
      expect(limiter.remaining(id(0), at(0))).toBe(4);
    });

    it('tells the longest wait of several buckets', async () => {
      const limiter = make([
        { ratePerSecond: 10, burst: 1 },
        { ratePerSecond: 1, burst: 1 },
      ]);
      await limiter.take([id(0), id(1)], 1, at(0));
      expect(await limiter.take([id(0), id(1)], 1, at(0))).toBe(1_000);
    });

    it('says that more than a burst can never fit', async () => {
      const limiter = make([{ ratePerSecond: 100, burst: 5 }]);
      expect(await limiter.take([id(0)], 6, at(0))).toBe(Number.POSITIVE_INFINITY);
      expect(limiter.remaining(id(0), at(0))).toBe(5);
    });

    it('admits nothing at a rate of 0', async () => {
      const limiter = make([{ ratePerSecond: 0, burst: 5 }]);
      expect(await limiter.take([id(0)], 1, at(0))).toBe(Number.POSITIVE_INFINITY);
      expect(limiter.remaining(id(0), at(0))).toBe(0);
    });

    it('admits everybody when no bucket is asked', async () => {
      expect(await make([]).take([], 1, at(0))).toBe(0);
    });

    it('counts what is left and how long until all is back', async () => {
      const limiter = make([{ ratePerSecond: 10, burst: 4 }]);
      expect(limiter.fullInMs(id(0), at(0))).toBe(0);
      await limiter.take([id(0)], 3, at(0));
      expect(limiter.remaining(id(0), at(0))).toBe(1);
      expect(limiter.fullInMs(id(0), at(0))).toBe(300);
      expect(limiter.remaining(id(0), at(250))).toBe(3);
      expect(limiter.fullInMs(id(0), at(250))).toBe(50);
      expect(limiter.remaining(id(0), at(60_000))).toBe(4);
    });

    it('gives nothing for a clock that steps back and forth', async () => {
      const limiter = make([{ ratePerSecond: 1, burst: 2 }]);
      await limiter.take([id(0)], 2, at(0));
      for (let i = 0; i < 100; i++) {
        expect(await limiter.take([id(0)], 1, at(-1_000))).toBe(2_000);
        expect(await limiter.take([id(0)], 1, at(0))).toBe(1_000);
      }
      expect(await limiter.take([id(0)], 1, at(1_000))).toBe(0);
    });

    if (maker.exact) {
      it('agrees with a token bucket counted in whole thousandths', async () => {
        await fc.assert(
          fc.asyncProperty(specs, steps, async (buckets, takes) => {
            const limiter = make(buckets);
            const naive = new NaiveBuckets(buckets);
            let nowMs = 0;
            for (const step of takes) {
              nowMs += step.afterMs;
              const ids = step.which.filter((n) => n < buckets.length).map(id);
              expect((await limiter.take(ids, step.tokens, at(nowMs))) === 0).toBe(naive.take(ids, step.tokens, nowMs));
              for (const bucket of ids) expect(limiter.remaining(bucket, at(nowMs))).toBe(naive.remaining(bucket, nowMs));
            }
          }),
          { seed: SEED, numRuns: 200 },
        );
      });
    }

    it('never admits more than burst + rate × time over any window, whatever the clock does', async () => {
      await fc.assert(
        fc.asyncProperty(
          spec,
          fc.array(fc.record({ stepMs: fc.integer({ min: -50, max: 400 }), tokens: fewTokens })),
          async (bucket, takes) => {
            const limiter = make([bucket]);
            const admitted: { atMs: number; tokens: number }[] = [];
            let nowMs = 1_000;
            for (const { stepMs, tokens } of takes) {
              nowMs += stepMs;
              if ((await limiter.take([id(0)], tokens, at(nowMs))) === 0) admitted.push({ atMs: nowMs, tokens });
            }
            expect(worstWindow(admitted, bucket)).toBeLessThanOrEqual(bucket.burst + 1e-5);
          },
        ),
        { seed: SEED, numRuns: 300 },
      );
    });

    it('keeps its word: whoever waits as told is admitted', async () => {
      await fc.assert(
        fc.asyncProperty(
          spec,
          fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fewTokens), { maxLength: 60 }),
          async (bucket, takes) => {
            const limiter = make([bucket]);
            let nowMs = 0;
            for (const [afterMs, tokens] of takes) {
              nowMs += afterMs;
              const waitMs = await limiter.take([id(0)], tokens, at(nowMs));
              expect(waitMs).not.toBeNull();
              if (waitMs === null || waitMs === 0 || waitMs === Number.POSITIVE_INFINITY) continue;
              nowMs += waitMs;
              expect(await limiter.take([id(0)], tokens, at(nowMs))).toBe(0);
            }
          },
        ),
        { seed: SEED, numRuns: 200 },
      );
    });
  });
}

/** A limiter with a clock that says what each call says. */
class Timed {
  readonly #maker: LimiterMaker;
  readonly #limiter: RateLimiter;

  constructor(maker: LimiterMaker, buckets: readonly BucketSpec[]) {
    this.#maker = maker;
    this.#limiter = maker.make(buckets);
  }

  take(buckets: readonly BucketId[], tokens: number, nowMs: Millis): Maybe<number | null> {
    this.#maker.setClock(nowMs);
    return this.#limiter.take(buckets, tokens, nowMs);
  }

  remaining(bucket: BucketId, nowMs: Millis): number {
    this.#maker.setClock(nowMs);
    return this.#limiter.remaining(bucket, nowMs);
  }

  fullInMs(bucket: BucketId, nowMs: Millis): number {
    this.#maker.setClock(nowMs);
    return this.#limiter.fullInMs(bucket, nowMs);
  }
}

const spec: fc.Arbitrary<BucketSpec> = fc.record({
  ratePerSecond: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 1_000_000 })),
  burst: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 })),
});
const specs = fc.array(spec, { minLength: 1, maxLength: 3 });
const fewTokens = fc.integer({ min: 1, max: 8 });
const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 500 }),
    tokens: fewTokens,
    which: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1 }),
  }),
  { maxLength: 60 },
);

/** The most that came in any window beyond what the rate allows for its length. */
function worstWindow(admitted: readonly { atMs: number; tokens: number }[], bucket: BucketSpec): number {
  let worst = 0;
  for (let from = 0; from < admitted.length; from++) {
    let tokens = 0;
    let firstMs = admitted[from]!.atMs;
    let lastMs = firstMs;
    for (let to = from; to < admitted.length; to++) {
      tokens += admitted[to]!.tokens;
      firstMs = Math.min(firstMs, admitted[to]!.atMs);
      lastMs = Math.max(lastMs, admitted[to]!.atMs);
      worst = Math.max(worst, tokens - ((lastMs - firstMs) * bucket.ratePerSecond) / 1000);
    }
  }
  return worst;
}

/** A token bucket as the textbook has it, exact: thousandths of tokens, milliseconds and whole rates are all whole numbers. */
class NaiveBuckets {
  readonly #specs: readonly BucketSpec[];
  readonly #leftMilli: number[];
  #nowMs = 0;

  constructor(buckets: readonly BucketSpec[]) {
    this.#specs = buckets;
    this.#leftMilli = buckets.map((bucket) => (bucket.ratePerSecond === 0 ? 0 : bucket.burst * 1000));
  }

  take(ids: readonly number[], tokens: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (!ids.every((n) => this.#leftMilli[n]! >= tokens * 1000)) return false;
    for (const n of ids) this.#leftMilli[n]! -= tokens * 1000;
    return true;
  }

  remaining(n: number, nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#leftMilli[n]! / 1000);
  }

  #refill(nowMs: number): void {
    this.#specs.forEach((bucket, n) => {
      const full = bucket.ratePerSecond === 0 ? 0 : bucket.burst * 1000;
      this.#leftMilli[n] = Math.min(full, this.#leftMilli[n]! + (nowMs - this.#nowMs) * bucket.ratePerSecond);
    });
    this.#nowMs = nowMs;
  }
}
