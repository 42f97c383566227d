import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrafficPlan } from '../../../src/core/traffic.ts';
import { affinityOf } from '../../../src/router/affinity.ts';
import { choose, planOf, reweigh } from '../../../src/router/traffic-plan.ts';
import { variantOf } from './fakes.ts';

const SLOTS = 10_000;
const NAMES = ['v1', 'v2', 'v3', 'v4'] as const;

/** What the rule says, in the plainest words: each canary has a set of slots; all others are stable's. */
class NaiveSplit {
  readonly #held = NAMES.map(() => new Set<number>());

  change(weights: readonly number[]): void {
    const freed = new Set<number>();
    for (let canary = 1; canary < NAMES.length; canary++) {
      const last = [...this.#held[canary]!].sort((a, b) => b - a);
      for (const slot of last.slice(0, Math.max(0, last.length - weights[canary]!))) {
        this.#held[canary]!.delete(slot);
        freed.add(slot);
      }
    }
    const taken = new Set(this.#held.slice(1).flatMap((slots) => [...slots]));
    const all = Array.from({ length: SLOTS }, (_slot, i) => i).filter((slot) => !taken.has(slot));
    const free = [...all.filter((slot) => !freed.has(slot)), ...all.filter((slot) => freed.has(slot))];
    // Growing canaries, in order.
    for (let canary = 1; canary < NAMES.length; canary++)
      while (this.#held[canary]!.size < weights[canary]!) this.#held[canary]!.add(free.shift()!);
  }

  get slots(): Uint8Array {
    const slots = new Uint8Array(SLOTS);
    for (let canary = 1; canary < NAMES.length; canary++) for (const slot of this.#held[canary]!) slots[slot] = canary;
    return slots;
  }
}

/** Weights that make a whole; often a canary has none, or all. */
const weights: fc.Arbitrary<number[]> = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: SLOTS })), {
    minLength: 3,
    maxLength: 3,
  })
  .map((wishes) => {
    let left = SLOTS;
    const granted = wishes.map((wish) => {
      const part = Math.min(wish, left);
      left -= part;
      return part;
    });
    return [left, ...granted];
  });

const begun = (): TrafficPlan =>
  planOf({
    model: 'm',
    revision: 1,
    variants: NAMES.map((name, i) => ({
      variant: variantOf(name, i === 0 ? 'stable' : 'canary'),
      weightBp: i === 0 ? SLOTS : 0,
    })),
    shadows: [],
  });

function changed(plan: TrafficPlan, to: readonly number[]): TrafficPlan {
  const next = reweigh(plan, new Map(NAMES.map((name, i) => [name, to[i]!])));
  if (Array.isArray(next)) throw new Error(next.join());
  return next;
}

const callers = Array.from({ length: 3_000 }, (_caller, i) => affinityOf(`caller-${i}`));

describe('any sequence of weight changes', () => {
  it('gives the slots that the plain rule gives', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 1, maxLength: 5 }), (changes) => {
        const naive = new NaiveSplit();
        let plan = begun();
        for (const change of changes) {
          naive.change(change);
          plan = changed(plan, change);
          expect(Buffer.compare(plan.slots, naive.slots)).toBe(0);
        }
      }),
      { seed: 20_260, numRuns: 60 },
    );
  });

  it('keeps every caller of a canary on it while its share does not shrink', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 1, maxLength: 6 }), (changes) => {
        let plan = begun();
        for (const change of changes) {
          const next = changed(plan, change);
          const kept = NAMES.map((_name, i) => i > 0 && change[i]! >= plan.weights[i]!);
          const strayed = callers.filter((caller) => {
            const before = NAMES.indexOf(choose(plan, caller).name as 'v1');
            return kept[before]! && choose(next, caller).name !== NAMES[before];
          });
          expect(strayed).toEqual([]);
          plan = next;
        }
      }),
      { seed: 20_261, numRuns: 60 },
    );
  });

  it('gives two replicas that see the same changes the same place for every caller', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 1, maxLength: 5 }), (changes) => {
        const [one, other] = [changes.reduce(changed, begun()), changes.reduce(changed, begun())];
        expect(callers.every((caller) => choose(one, caller).name === choose(other, caller).name)).toBe(true);
      }),
      { seed: 20_262, numRuns: 30 },
    );
  });

  it('splits a million callers within the error of sampling, whatever came before', () => {
    const plan = [
      [5_000, 2_500, 2_500, 0],
      [9_989, 10, 1, 0],
      [0, 0, 0, 10_000],
      [6_300, 1_000, 2_500, 200],
    ].reduce(changed, begun());
    const counts = NAMES.map(() => 0);
    const total = 1_000_000;
    for (let n = 0; n < total; n++) counts[NAMES.indexOf(choose(plan, affinityOf(`c${n}`)).name as 'v1')]!++;
    plan.weights.forEach((weight, i) => {
      const share = weight / SLOTS;
      expect(Math.abs(counts[i]! - total * share)).toBeLessThan(5 * Math.sqrt(total * share * (1 - share)));
    });
  });
});
