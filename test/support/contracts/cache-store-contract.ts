import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CacheEntry, CacheStore } from '../../../src/core/cache.ts';
import type { Millis } from '../../../src/core/units.ts';

/** What every CacheStore promises. `make` gets its bound in bytes and that of one entry. */

export interface StoreBounds {
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
}

const SEED = 20_260;
const at = (ms: number): Millis => ms as Millis;

export interface EntrySpec {
  readonly model?: string;
  readonly sizeBytes?: number;
  readonly expiresMs?: number;
}

/** An entry that says what a test wants it to say. */
export function entryFor({ model = 'm', sizeBytes = 10, expiresMs = 1_000 }: EntrySpec = {}): CacheEntry {
  return { prediction: { outputs: [], computeUs: 0 }, model, variant: 'v', sizeBytes, expiresMs: at(expiresMs) };
}

export function cacheStoreContract(name: string, make: (bounds: StoreBounds) => CacheStore): void {
  const roomy = (): CacheStore => make({ maxBytes: 1_000, maxEntryBytes: 500 });

  describe(`${name} as a CacheStore`, () => {
    it('misses what was never kept', () => {
      expect(roomy().get('a', at(0))).toBeNull();
    });

    it('gives back the entry itself until it expires, and not at that moment', () => {
      const store = roomy();
      const entry = entryFor({ expiresMs: 100 });
      store.set('a', entry);
      expect(store.get('a', at(99))).toBe(entry);
      expect(store.get('a', at(100))).toBeNull();
    });

    it('does not hold on to an entry that it found expired', () => {
      const store = roomy();
      store.set('a', entryFor({ expiresMs: 100 }));
      store.get('a', at(100));
      expect(store.entries).toBe(0);
      expect(store.usedBytes).toBe(0);
    });

    it('gives the later of two entries under one key and counts it alone', () => {
      const store = roomy();
      const later = entryFor({ sizeBytes: 30 });
      store.set('a', entryFor({ sizeBytes: 20 }));
      store.set('a', later);
      expect(store.get('a', at(0))).toBe(later);
      expect(store.usedBytes).toBe(30);
      expect(store.entries).toBe(1);
    });

    it('drops an entry larger than one may be and keeps what it had', () => {
      const store = roomy();
      const kept = entryFor();
      store.set('a', kept);
      store.set('a', entryFor({ sizeBytes: 501 }));
      store.set('b', entryFor({ sizeBytes: 501 }));
      expect(store.get('a', at(0))).toBe(kept);
      expect(store.get('b', at(0))).toBeNull();
      expect(store.usedBytes).toBe(10);
    });

    it('drops an entry whose size is no whole number above 0, without a throw', () => {
      const store = roomy();
      for (const sizeBytes of [0, -5, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) store.set('a', entryFor({ sizeBytes }));
      expect(store.entries).toBe(0);
    });

    it('purges one model and leaves the others', () => {
      const store = roomy();
      store.set('a', entryFor({ model: 'one' }));
      store.set('b', entryFor({ model: 'two' }));
      store.set('c', entryFor({ model: 'one' }));
      expect(store.purge('one')).toBe(2);
      expect(store.get('a', at(0))).toBeNull();
      expect(store.get('b', at(0))).not.toBeNull();
      expect(store.usedBytes).toBe(10);
    });

    it('purges everything for an empty model', () => {
      const store = roomy();
      store.set('a', entryFor({ model: 'one' }));
      store.set('b', entryFor({ model: 'two' }));
      expect(store.purge('')).toBe(2);
      expect(store.purge('')).toBe(0);
      expect(store.usedBytes).toBe(0);
    });

    it('is a map with expiry while all fits, and never more than its bound or other than what was kept', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 100 }), fc.constantFrom(60, 100_000), (steps, maxBytes) => {
          const store = make({ maxBytes, maxEntryBytes: 50 });
          const naive = new Map<string, CacheEntry>();
          let nowMs = 0;
          for (const one of steps) {
            nowMs += one.afterMs;
            if (one.is === 'set') {
              const entry = entryFor({ model: one.model, sizeBytes: one.sizeBytes, expiresMs: nowMs + one.ttlMs });
              store.set(one.key, entry);
              if (entry.sizeBytes <= 50) naive.set(one.key, entry);
            } else if (one.is === 'purge') {
              store.purge(one.model);
              for (const [key, entry] of naive) if (one.model === '' || entry.model === one.model) naive.delete(key);
            }
            const kept = naive.get(one.key);
            const expected = kept !== undefined && nowMs < kept.expiresMs ? kept : null;
            const found = store.get(one.key, at(nowMs));
            if (maxBytes > 60 || found !== null) expect(found).toBe(expected);
            expect(store.usedBytes).toBeLessThanOrEqual(maxBytes);
          }
        }),
        { seed: SEED, numRuns: 200 },
      );
    });
  });
}

const step = fc.record({
  is: fc.constantFrom('set', 'set', 'get', 'get', 'purge'),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  model: fc.constantFrom('one', 'two', ''),
  sizeBytes: fc.integer({ min: 1, max: 55 }),
  ttlMs: fc.integer({ min: 1, max: 30 }),
  afterMs: fc.integer({ min: 0, max: 5 }),
});
