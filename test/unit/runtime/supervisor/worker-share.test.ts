import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerShare } from '../../../../src/runtime/supervisor/worker-share.ts';
import { configOf } from './book-of.ts';

describe('the share of a worker', () => {
  it('is the whole for one worker', () => {
    const config = configOf({ m: ['v1'] });
    expect(workerShare(config, 1)).toBe(config);
  });

  it('adds up to what config states and not much more, and takes every body that config takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 256 }), (workers) => {
        const config = configOf({ m: ['v1', 'v2:5'] }, 'cache: { maxBytes: 10000000, maxEntryBytes: 100000 }');
        const share = workerShare(config, workers);
        const fits = (part: number, whole: number): void => {
          expect(part * workers).toBeGreaterThanOrEqual(whole);
          expect((part - 1) * workers).toBeLessThan(whole);
        };
        fits(share.limits.maxInFlightRequests, config.limits.maxInFlightRequests);
        fits(share.listen.http.maxConnections, config.listen.http.maxConnections);
        fits(share.models['m']!.variants[1]!.maxInFlight, config.models['m']!.variants[1]!.maxInFlight);
        expect(share.limits.maxInFlightBytes).toBeGreaterThanOrEqual(config.limits.maxBodyBytes);
        expect(share.tenants[0]!.maxInFlightBytes).toBeGreaterThanOrEqual(config.limits.maxBodyBytes);
        expect(share.cache.maxBytes).toBeGreaterThanOrEqual(config.cache.maxEntryBytes);
        const { watchedMirrorsPerSecond } = share.models['m']!.comparison;
        expect(watchedMirrorsPerSecond * workers).toBeCloseTo(config.models['m']!.comparison.watchedMirrorsPerSecond, 9);
        // Leased as they are used, so each worker knows the whole.
        expect(share.tenants[0]!.rate).toEqual(config.tenants[0]!.rate);
        expect(share.tenants[0]!.maxInFlight).toBe(config.tenants[0]!.maxInFlight);
        expect(share.listen.admin).toEqual(config.listen.admin);
      }),
    );
  });
});
