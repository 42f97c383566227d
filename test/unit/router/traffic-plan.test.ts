import { describe, expect, it } from 'vitest';
import type { ShadowShare, TrafficPlan } from '../../../src/core/traffic.ts';
import { basisPoints } from '../../../src/core/units.ts';
import { affinityOf } from '../../../src/router/affinity.ts';
import { choose, planOf, reweigh } from '../../../src/router/traffic-plan.ts';
import { variantOf } from './fakes.ts';

const shadow: ShadowShare = { variant: variantOf('dark', 'shadow'), sample: basisPoints(500) };

function planFor(canaries: Record<string, number>, model = 'digits'): TrafficPlan {
  const weights = Object.values(canaries);
  const rest = weights.reduce((left, weight) => left - weight, 10_000);
  const names = Object.entries(canaries).map(([name, weightBp]) => ({ variant: variantOf(name, 'canary'), weightBp }));
  return planOf({ model, revision: 1, variants: [...names, { variant: variantOf('v1'), weightBp: rest }], shadows: [shadow] });
}

function reweighed(plan: TrafficPlan, weights: Record<string, number>): TrafficPlan {
  const next = reweigh(plan, new Map(Object.entries(weights)));
  if (Array.isArray(next)) throw new Error(next.join());
  return next;
}

const problemsOf = (plan: TrafficPlan, weights: Record<string, number>) => reweigh(plan, new Map(Object.entries(weights)));

describe('planOf', () => {
  it('puts stable first and gives every variant its slots', () => {
    const plan = planFor({ v2: 500, v3: 1 });
    expect(plan.variants.map((variant) => variant.name)).toEqual(['v1', 'v2', 'v3']);
    expect(plan.weights).toEqual([9_499, 500, 1]);
    expect([0, 1, 2].map((index) => plan.slots.filter((owner) => owner === index).length)).toEqual([9_499, 500, 1]);
    expect(plan.shadows).toEqual([shadow]);
  });

  it('refuses weights that do not make a whole, and says which', () => {
    const variants = [
      { variant: variantOf('v1'), weightBp: 9_000 },
      { variant: variantOf('v2', 'canary'), weightBp: 1_500 },
    ];
    expect(() => planOf({ model: 'm', revision: 1, variants, shadows: [] })).toThrow(
      'plan of model "m": weights sum to 10500 basis points, expected 10000',
    );
  });

  it('refuses a plan without exactly one stable variant, with twins, or with roles mixed up', () => {
    const variants = [
      { variant: variantOf('v1', 'canary'), weightBp: 10_000 },
      { variant: variantOf('v1', 'shadow'), weightBp: 0 },
    ];
    const shadows = [{ variant: variantOf('v2', 'canary'), sample: basisPoints(20_000) }];
    const build = () => planOf({ model: 'm', revision: 1, variants, shadows });
    expect(build).toThrow('found 0 stable variants, expected exactly one');
    expect(build).toThrow('the name "v1" is used twice');
    expect(build).toThrow('"v1" is a shadow, expected among the shadows');
    expect(build).toThrow('"v2" is canary, expected a shadow');
    expect(build).toThrow('the sample of "v2" is 20000, expected whole basis points from 0 to 10000');
  });
});

describe('reweigh', () => {
  it('lets stable take the rest when it is not named', () => {
    const next = reweighed(planFor({ v2: 500, v3: 100 }), { v2: 2_000 });
    expect(next.weights).toEqual([7_900, 2_000, 100]);
    expect(next.revision).toBe(2);
  });

  it('takes a weight for stable when all make a whole', () => {
    expect(reweighed(planFor({ v2: 500 }), { v1: 9_000, v2: 1_000 }).weights).toEqual([9_000, 1_000]);
  });

  it('leaves the old plan as it was', () => {
    const plan = planFor({ v2: 500 });
    const slots = plan.slots.slice();
    reweighed(plan, { v2: 10_000 });
    expect(plan.slots).toEqual(slots);
    expect(plan.weights).toEqual([9_500, 500]);
  });

  it('names every problem of a change', () => {
    const plan = planFor({ v2: 500 });
    expect(problemsOf(plan, { v9: 1, v2: -1, v1: 0.5, dark: 100 })).toEqual([
      'there is no variant "v9", expected one of "v1", "v2"',
      'the weight of "v2" is -1, expected whole basis points from 0 to 10000',
      'the weight of "v1" is 0.5, expected whole basis points from 0 to 10000',
      '"dark" is a shadow and carries no traffic: leave it out',
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 10_001])('refuses the weight %d', (weight) => {
    expect(problemsOf(planFor({ v2: 500 }), { v2: weight })).toEqual([
      `the weight of "v2" is ${weight}, expected whole basis points from 0 to 10000`,
    ]);
  });

  it('refuses weights that do not sum to a whole', () => {
    const plan = planFor({ v2: 500, v3: 100 });
    expect(problemsOf(plan, { v1: 9_000 })).toEqual(['weights sum to 9600 basis points, expected 10000']);
    expect(problemsOf(plan, { v2: 10_000 })).toEqual([
      'canaries take 10100 basis points, expected at most 10000: lower one of them',
    ]);
  });

  it('moves nobody when nothing changes', () => {
    const plan = planFor({ v2: 500, v3: 100 });
    expect(reweighed(plan, {}).slots).toEqual(plan.slots);
  });

  it('sends everybody home on a rollback', () => {
    const next = reweighed(planFor({ v2: 5_000 }), { v2: 0 });
    expect(new Set(next.slots)).toEqual(new Set([0]));
  });
});

describe('choose', () => {
  it('keeps canary users when the share grows', () => {
    const before = planFor({ v2: 500 });
    const after = reweighed(before, { v2: 2_500 });
    for (let n = 0; n < 20_000; n++) {
      const affinity = affinityOf(`user-${n}`);
      if (choose(before, affinity).name === 'v2') expect(choose(after, affinity).name).toBe('v2');
    }
  });

  it('gives a canary back the users it had when it shrinks and grows again', () => {
    const before = planFor({ v2: 2_500 });
    const after = reweighed(reweighed(before, { v2: 100 }), { v2: 2_500 });
    expect(after.slots).toEqual(before.slots);
  });

  it('splits a million callers within the error of sampling, down to one in ten thousand', () => {
    const plan = planFor({ v2: 1_000, v3: 1 });
    const counts = new Map<string, number>([
      ['v1', 0],
      ['v2', 0],
      ['v3', 0],
    ]);
    const callers = 1_000_000;
    for (let n = 0; n < callers; n++) {
      const name = choose(plan, affinityOf(String(n))).name;
      counts.set(name, counts.get(name)! + 1);
    }
    plan.variants.forEach((variant, i) => {
      const share = plan.weights[i]! / 10_000;
      const error = Math.sqrt(callers * share * (1 - share));
      expect(Math.abs(counts.get(variant.name)! - callers * share)).toBeLessThan(5 * error);
    });
  });

  it('splits every model on its own: a canary user of one is no likelier to be one of another', () => {
    const one = planFor({ v2: 5_000 }, 'digits');
    const other = planFor({ v2: 5_000 }, 'spam');
    let both = 0;
    for (let n = 0; n < 40_000; n++) {
      const affinity = affinityOf(`user-${n}`);
      if (choose(one, affinity).name === 'v2' && choose(other, affinity).name === 'v2') both++;
    }
    expect(Math.abs(both - 10_000)).toBeLessThan(5 * Math.sqrt(40_000 * 0.25 * 0.75));
  });
});
