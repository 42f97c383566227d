import { describe, expect, it } from 'vitest';
import type { BucketId, Millis } from '../../../src/core/units.ts';
import { LocalRateLimiter } from '../../../src/limits/gcra.ts';
import { rateLimiterContract } from '../../support/contracts/rate-limiter-contract.ts';

const id = (n: number): BucketId => n as BucketId;
const at = (ms: number): Millis => ms as Millis;

rateLimiterContract('LocalRateLimiter', {
  make: (buckets) => {
    const limiter = new LocalRateLimiter(buckets.length);
    buckets.forEach((bucket, n) => {
      limiter.configure(id(n), bucket.ratePerSecond, bucket.burst);
    });
    return limiter;
  },
  setClock: () => {},
  exact: true,
});

describe('LocalRateLimiter', () => {
  it('admits nothing from a bucket that was never configured or does not exist', () => {
    const limiter = new LocalRateLimiter(2);
    limiter.configure(id(0), 10, 10);
    expect(limiter.take([id(0), id(1)], 1, at(0))).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.take([id(0), id(7)], 1, at(0))).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.remaining(id(0), at(0))).toBe(10);
    expect(limiter.remaining(id(7), at(0))).toBe(0);
    expect(limiter.fullInMs(id(1), at(0))).toBe(0);
  });

  it('refuses a count that is negative or no number', () => {
    const limiter = new LocalRateLimiter(1);
    limiter.configure(id(0), 10, 10);
    expect(limiter.take([id(0)], Number.NaN, at(0))).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.take([id(0)], -5, at(0))).toBe(Number.POSITIVE_INFINITY);
    expect(limiter.remaining(id(0), at(0))).toBe(10);
  });

  it('keeps what is in use when the rate changes', () => {
    const limiter = new LocalRateLimiter(1);
    limiter.configure(id(0), 10, 10);
    limiter.take([id(0)], 10, at(0));
    limiter.configure(id(0), 1_000, 10);
    expect(limiter.take([id(0)], 1, at(0))).toBe(1);
  });

  it('does not keep a tenant out for the length of a burst it no longer has', () => {
    const limiter = new LocalRateLimiter(1);
    limiter.configure(id(0), 1, 1_000);
    limiter.take([id(0)], 1_000, at(0));
    limiter.configure(id(0), 1, 2);
    expect(limiter.take([id(0)], 1, at(0))).toBe(1_000);
  });

  it('grows for buckets of a later config and keeps the old ones', () => {
    const limiter = new LocalRateLimiter(1);
    limiter.configure(id(0), 1, 2);
    limiter.take([id(0)], 1, at(0));
    limiter.configure(id(9), 1, 3);
    expect(limiter.remaining(id(0), at(0))).toBe(1);
    expect(limiter.remaining(id(9), at(0))).toBe(3);
    expect(limiter.take([id(5)], 1, at(0))).toBe(Number.POSITIVE_INFINITY);
  });

  it('admits exactly the burst after 20 days of uptime', () => {
    const limiter = new LocalRateLimiter(1);
    const now = at(20 * 86_400_000);
    limiter.configure(id(0), 7, 1_000);
    let admitted = 0;
    while (limiter.take([id(0)], 1, now) === 0) admitted++;
    expect(admitted).toBe(1_000);
  });

  it('refuses a rate or burst that is no number', () => {
    const limiter = new LocalRateLimiter(1);
    expect(() => limiter.configure(id(0), Number.NaN, 1)).toThrow('bucket 0: rate NaN');
    expect(() => limiter.configure(id(0), -1, 1)).toThrow('rate -1');
    expect(() => limiter.configure(id(0), 1, Number.POSITIVE_INFINITY)).toThrow('burst Infinity');
    expect(() => limiter.configure(id(-1), 1, 1)).toThrow('bucket id -1');
  });
});
