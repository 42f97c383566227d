import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Roster, type Rostered } from '../../../src/core/roster.ts';
import { oldSpaceGrowth } from '../../support/old-space-growth.ts';

interface Member extends Rostered {
  readonly name: number;
}

const names = (members: Iterable<Member>): number[] => [...members].map(({ name }) => name).sort((a, b) => a - b);

describe('Roster', () => {
  it('holds whom a Set would hold, whatever is added and deleted in whatever order', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const members = Array.from({ length: 21 }, (_, name): Member => ({ name, rosterAt: -1 }));
        const roster = new Roster<Member>();
        const model = new Set<Member>();
        for (const [adds, n] of all) {
          const member = members[n]!;
          if (!adds) expect(roster.delete(member)).toBe(model.delete(member));
          else if (!model.has(member)) {
            roster.add(member);
            model.add(member);
          }
          expect(roster.size).toBe(model.size);
          expect(names(roster.all())).toEqual(names(model));
        }
      }),
    );
  });

  it('lets all leave while it is gone through', () => {
    const roster = new Roster<Member>();
    for (let name = 0; name < 5; name++) roster.add({ name, rosterAt: -1 });
    for (const member of roster.all()) roster.delete(member);
    expect(roster.size).toBe(0);
    expect(roster.all()).toEqual([]);
  });

  it('lets those who have left be collected young', () => {
    const roster = new Roster<Member & { readonly load: number[] }>();
    const grown = oldSpaceGrowth(20_000, (name) => {
      roster.add({ name, rosterAt: -1, load: new Array<number>(100).fill(name) });
      if (roster.size > 64) roster.delete(roster.all()[0]!);
    });
    // All of them together have 16 MB.
    expect(grown).toBeLessThan(2_000_000);
  });
});
