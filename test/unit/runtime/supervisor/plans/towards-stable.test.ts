import { describe, expect, it } from 'vitest';
import { planAfter } from '../../../../../src/router/plan-change.ts';
import { leadsToStable } from '../../../../../src/runtime/supervisor/plans/towards-stable.ts';
import { TruthBook } from '../../../../../src/runtime/supervisor/truth-book.ts';
import { configOf } from '../book-of.ts';

const first = new TruthBook(configOf({ m: ['v1', 'v2:20', 'v3:10'] }), new Set()).plan('m')!;
const NOTHING = { weights: null, pins: null, fallbacks: null };
type Wish = Partial<Parameters<typeof planAfter>[1]>;
const after = (plan: typeof first, wish: Wish): typeof first => planAfter(plan, { ...NOTHING, ...wish }) as typeof first;
const leads = (wish: Wish, of = first): boolean => leadsToStable(of, after(of, wish));
const weights = (shares: Record<string, number>): Wish => ({ weights: new Map(Object.entries(shares)) });

describe('a change that leads to stable', () => {
  it('takes slots from canaries, and gives none to another canary', () => {
    expect([leads(weights({ v2: 0 })), leads(weights({ v2: 1_000, v3: 0 })), leads({})]).toEqual([true, true, true]);
    expect([leads(weights({ v2: 2_001 })), leads(weights({ v2: 0, v3: 3_000 }))]).toEqual([false, false]);
  });

  it('takes pins and fallbacks from canaries, and none from stable', () => {
    const pins = [
      { tenant: 'a', variant: 'v2' },
      { header: 'x-cohort', value: 'b', variant: 'v1' },
    ];
    const pinned = after(first, { pins, fallbacks: ['v1', 'v2'] });
    expect(leads({ pins, fallbacks: ['v1'] })).toBe(false);
    expect(leads({ pins: [pins[1]!], fallbacks: ['v1'] }, pinned)).toBe(true);
    expect(leads({ pins: [{ tenant: 'a', variant: 'v1' }, pins[1]!] }, pinned)).toBe(true);
    expect(leads({ pins: [pins[0]!] }, pinned)).toBe(false);
    expect(leads({ pins: [{ tenant: 'a', variant: 'v3' }, pins[1]!] }, pinned)).toBe(false);
    expect(leads({ fallbacks: ['v2'] }, pinned)).toBe(false);
    expect(leads({ fallbacks: ['v3', 'v1'] }, pinned)).toBe(false);
  });
});
