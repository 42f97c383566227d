import { z } from 'zod';
import { changeFields } from './admin-bodies.ts';
import { name } from './fields.ts';
import { fallbacks, pins } from './plan-schema.ts';

/** Bodies of the admin API that change a plan. */

const revision = z.int().min(1);

/** More than a model may have. */
const MAX_VARIANTS = 64;

const weightsBp = z
  .record(name, z.int().min(0).max(10_000))
  .refine((weights) => Object.keys(weights).length > 0, 'expected at least one variant')
  .refine((weights) => Object.keys(weights).length <= MAX_VARIANTS, `expected at most ${MAX_VARIANTS} variants`)
  .describe('Basis points by variant name; canaries not named keep theirs, and stable may be left out to take the rest.');

const expectedRevision = z.int().min(0).describe('The revision that the caller has seen.');

export const weightChangeBody = z.strictObject({ expectedRevision, weightsBp, ...changeFields });
export type WeightChangeBody = z.output<typeof weightChangeBody>;

export const planChangeBody = z
  .strictObject({
    expectedRevision,
    weightsBp: weightsBp.nullable().default(null),
    pins: pins.nullable().default(null),
    fallbacks: fallbacks.nullable().default(null),
    ...changeFields,
  })
  .refine(
    (body) => body.weightsBp !== null || body.pins !== null || body.fallbacks !== null,
    'expected one of weightsBp, pins and fallbacks at least',
  );
export type PlanChangeBody = z.output<typeof planChangeBody>;

/** One command at three in the morning: nobody has to read the plan first. */
const seenRevision = expectedRevision
  .nullable()
  .default(null)
  .describe('The revision that the caller has seen; null acts on whichever is in force.');

export const switchBody = z.strictObject({
  variant: name.describe('Stable or canary variant that gets all traffic.'),
  expectedRevision: seenRevision,
  ...changeFields,
});
export type SwitchBody = z.output<typeof switchBody>;

export const rollbackBody = z.strictObject({
  toRevision: revision
    .nullable()
    .default(null)
    .describe('The revision to go back to; null goes one back, and one further when done again.'),
  expectedRevision: seenRevision,
  ...changeFields,
});
export type RollbackBody = z.output<typeof rollbackBody>;
