import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryCacheStore } from '../../../src/cache/memory-store.ts';
import type { CacheEntry } from '../../../src/core/cache.ts';
import { PressureLevel } from '../../../src/core/pressure.ts';
import type { Millis } from '../../../src/core/units.ts';
import { cacheStoreContract, entryFor } from '../../support/contracts/cache-store-contract.ts';

cacheStoreContract('MemoryCacheStore', (bounds) => new MemoryCacheStore(bounds));

const NOW = 0 as Millis;

describe('MemoryCacheStore', () => {
  it('lets the least recently used go first', () => {
    const store = new MemoryCacheStore({ maxBytes: 30, maxEntryBytes: 30 });
    for (const key of ['a', 'b', 'c']) store.set(key, entryFor());
    store.get('a', NOW);
    store.set('d', entryFor());
    expect(['a', 'b', 'c', 'd'].filter((key) => store.get(key, NOW) !== null)).toEqual(['a', 'c', 'd']);
  });

  it('takes no new entries while memory is short, and gives out those it has', () => {
    const pressure: { level: PressureLevel } = { level: PressureLevel.None };
    const store = new MemoryCacheStore({ maxBytes: 30, maxEntryBytes: 30 }, pressure);
    store.set('a', entryFor());
    pressure.level = PressureLevel.NoNewEntries;
    store.set('b', entryFor());
    expect([store.get('a', NOW) !== null, store.get('b', NOW), store.dropped]).toEqual([true, null, 1]);
  });

  it('counts what it did not take', () => {
    const store = new MemoryCacheStore({ maxBytes: 30, maxEntryBytes: 20 });
    store.set('a', entryFor({ sizeBytes: 21 }));
    store.set('b', entryFor({ sizeBytes: Number.NaN }));
    store.set('c', entryFor({ sizeBytes: 20 }));
    expect(store.dropped).toBe(2);
  });

  it('takes no entry larger than the whole store', () => {
    const store = new MemoryCacheStore({ maxBytes: 30, maxEntryBytes: 100 });
    store.set('a', entryFor({ sizeBytes: 31 }));
    expect(store.entries).toBe(0);
    expect(store.dropped).toBe(1);
  });

  it('judges age by the time it is told, not by a clock of its own', () => {
    const store = new MemoryCacheStore({ maxBytes: 30, maxEntryBytes: 30 });
    store.set('a', entryFor({ expiresMs: 1e12 }));
    expect(store.get('a', (1e12 - 1) as Millis)).not.toBeNull();
    expect(store.get('a', 1e12 as Millis)).toBeNull();
  });

  it('agrees with a naive list in order of use', () => {
    const act = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      sizeBytes: fc.integer({ min: 1, max: 20 }),
      set: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
        const store = new MemoryCacheStore({ maxBytes: 40, maxEntryBytes: 20 });
        let naive: [string, CacheEntry][] = [];
        for (const { key, sizeBytes, set } of acts) {
          const entry = set ? entryFor({ sizeBytes }) : (naive.find(([name]) => name === key)?.[1] ?? null);
          if (set) store.set(key, entry!);
          else expect(store.get(key, NOW)).toBe(entry);
          naive = naive.filter(([name]) => name !== key);
          if (entry !== null) naive.push([key, entry]);
          while (sum(naive) > 40) naive.shift();
          expect(store.usedBytes).toBe(sum(naive));
          expect(store.entries).toBe(naive.length);
        }
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});

function sum(entries: readonly [string, CacheEntry][]): number {
  return entries.reduce((total, [, entry]) => total + entry.sizeBytes, 0);
}
