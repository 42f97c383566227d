import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvous } from '../../../../src/router/endpoints/rendezvous.ts';
import { openEndpoint } from './endpoint-fakes.ts';

const names = fc.uniqueArray(fc.webAuthority(), { minLength: 2, maxLength: 12 });
const keys = fc.array(fc.integer({ min: 1, max: 0xffffffff }), { minLength: 1, maxLength: 50 });

describe('a sequence', () => {
  it('stays where it is while the set is the same, in whatever order it is listed', () => {
    fc.assert(
      fc.property(names, keys, (list, sequences) => {
        const set = list.map((name) => openEndpoint(name));
        const again = [...list].reverse().map((name) => openEndpoint(name));
        for (const key of sequences) expect(rendezvous(set, key, '')!.label).toBe(rendezvous(again, key, '')!.label);
      }),
    );
  });

  it('moves only when its own endpoint goes, and only to one that comes', () => {
    fc.assert(
      fc.property(names, keys, fc.nat(), (list, sequences, n) => {
        const all = list.map((name) => openEndpoint(name));
        const gone = all[n % all.length]!;
        const rest = all.filter((endpoint) => endpoint !== gone);
        for (const key of sequences) {
          const before = rendezvous(all, key, '')!;
          const after = rendezvous(rest, key, '')!;
          if (before !== gone) expect(after).toBe(before);
          // A second try goes where the sequence would go without the first one's endpoint.
          expect(rendezvous(all, key, gone.label)).toBe(after);
        }
      }),
    );
  });

  it('has nowhere to go when the only endpoint is to be avoided', () => {
    expect(rendezvous([openEndpoint('a:1')], 7, 'a:1')).toBeNull();
    expect(rendezvous([], 7, '')).toBeNull();
  });

  it('shares endpoints evenly with others', () => {
    const set = ['a:1', 'b:1', 'c:1', 'd:1'].map((name) => openEndpoint(name));
    const counts = new Map(set.map((endpoint) => [endpoint, 0]));
    const KEYS = 40_000;
    for (let i = 1; i <= KEYS; i++) {
      const found = rendezvous(set, Math.imul(i, 0x9e3779b1) >>> 0, '')!;
      counts.set(found, counts.get(found)! + 1);
    }
    // Five standard deviations of a binomial share.
    for (const count of counts.values()) expect(Math.abs(count - KEYS / 4)).toBeLessThan(5 * Math.sqrt(KEYS * 0.25 * 0.75));
  });
});
