import fc from 'fast-check';
import type { PlanCause } from '../../../../../src/core/plan-control.ts';
import type { Pin } from '../../../../../src/core/traffic.ts';
import { contentOf } from '../../../../../src/router/plan-change.ts';
import { baseOf } from '../../../../../src/runtime/supervisor/plans/plan-base.ts';
import type { PlanRecord } from '../../../../../src/runtime/supervisor/plans/plan-record.ts';
import { TruthBook } from '../../../../../src/runtime/supervisor/truth-book.ts';
import { configOf } from '../book-of.ts';

/** Records of plans of the model `m`, which has a stable v1 and a canary v2. */

const config = configOf({ m: ['v1', 'v2:5'] });
const first = new TruthBook(config, new Set()).plan('m')!;

export function recordAt(revision: number, more: Partial<PlanRecord> = {}): PlanRecord {
  return {
    model: 'm',
    ...contentOf(first),
    revision,
    at: '2026-07-01T12:00:00.000Z',
    cause: 'admin',
    actor: 'ann',
    reason: 'why',
    restores: 0,
    variants: first.variants.map(({ name, role }) => ({ name, role })),
    base: baseOf(config.models['m']!),
    ...more,
  };
}

/** With `canaryBp` slots of v2, scattered by `seed`. */
export function scattered(revision: number, canaryBp: number, seed: number): PlanRecord {
  const slots = new Uint8Array(10_000);
  let at = seed % 10_000;
  // Seven is no divisor of 10,000, so each slot is met once.
  for (let i = 0; i < canaryBp; i++, at = (at + 7) % 10_000) slots[at] = 1;
  return recordAt(revision, { weights: [10_000 - canaryBp, canaryBp], slots });
}

const pin: fc.Arbitrary<Pin> = fc.oneof(
  fc.record({ tenant: fc.string({ minLength: 1 }), variant: fc.constantFrom('v1', 'v2') }),
  fc.record({ header: fc.string({ minLength: 1 }), value: fc.string({ minLength: 1 }), variant: fc.constantFrom('v1', 'v2') }),
);

export const anyRecord: fc.Arbitrary<PlanRecord> = fc
  .record({
    revision: fc.integer({ min: 1, max: 1_000_000 }),
    canaryBp: fc.integer({ min: 0, max: 10_000 }),
    seed: fc.nat(9_999),
    pins: fc.array(pin, { maxLength: 5 }),
    fallbacks: fc.shuffledSubarray(['v1', 'v2']),
    cause: fc.constantFrom<PlanCause>('config', 'admin', 'rollout', 'rollback'),
    actor: fc.string({ unit: 'binary' }),
    reason: fc.string({ unit: 'binary' }),
    restores: fc.nat(1_000),
  })
  .map(({ revision, canaryBp, seed, ...more }) => ({ ...scattered(revision, canaryBp, seed), ...more }));
