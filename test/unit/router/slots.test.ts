import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redealt } from '../../../src/router/slots.ts';

const SLOTS = 10_000;
const CANARIES = 4;

/** Weights of stable and four canaries that sum to all slots; often a canary has none, or stable has none. */
const weights: fc.Arbitrary<number[]> = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: SLOTS })), {
    minLength: CANARIES,
    maxLength: CANARIES,
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

function countsOf(slots: Uint8Array): number[] {
  const counts = new Array<number>(CANARIES + 1).fill(0);
  for (const owner of slots) counts[owner]!++;
  return counts;
}

/** How many slots went from whom to whom. */
function movesOf(before: Uint8Array, after: Uint8Array): number[][] {
  const moves = Array.from({ length: CANARIES + 1 }, () => new Array<number>(CANARIES + 1).fill(0));
  for (let i = 0; i < SLOTS; i++) moves[before[i]!]![after[i]!]!++;
  return moves;
}

describe('redealt', () => {
  it('gives exactly the weights and moves nobody else, over any sequence of changes', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 1, maxLength: 6 }), (changes) => {
        let slots: Uint8Array = new Uint8Array(SLOTS);
        for (const change of changes) {
          const held = countsOf(slots);
          const next = redealt(slots, change);
          expect(countsOf(next)).toEqual(change);
          const moves = movesOf(slots, next);
          for (let canary = 1; canary <= CANARIES; canary++) {
            const shrinksBy = Math.max(0, held[canary]! - change[canary]!);
            expect(moves[canary]![canary]).toBe(held[canary]! - shrinksBy);
          }
          slots = next;
        }
      }),
      { seed: 20_260, numRuns: 150 },
    );
  });

  it('sends callers from one canary to another only when stable has nobody left of its own', () => {
    fc.assert(
      fc.property(weights, weights, (first, second) => {
        const before = redealt(new Uint8Array(SLOTS), first);
        const moves = movesOf(before, redealt(before, second));
        for (let from = 1; from <= CANARIES; from++) {
          for (let to = 1; to <= CANARIES; to++) {
            if (from !== to && moves[from]![to]! > 0) expect(moves[0]![0]).toBe(0);
          }
        }
      }),
      { seed: 20_260, numRuns: 150 },
    );
  });

  it('leaves the slots it was given as they were', () => {
    const slots = new Uint8Array(SLOTS);
    redealt(slots, [0, SLOTS]);
    expect(countsOf(slots)[0]).toBe(SLOTS);
  });
});
