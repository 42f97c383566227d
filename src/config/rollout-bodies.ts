import { z } from 'zod';
import { name } from './fields.ts';

/** Bodies of the admin API that concern rollouts. */

const orNull = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);

const step = z.strictObject({
  weightBp: z.int().min(1).max(10_000).describe('Share of the canary, basis points.'),
  holdMs: orNull(z.int().min(0).max(2_592_000_000)).describe('Least time at this step; null takes what config says.'),
  minRequests: orNull(z.int().min(1).max(1_000_000_000)).describe('Least requests of the canary; null takes what config says.'),
  approvals: z.int().min(0).max(10).default(0).describe('People who must have approved this step before it begins.'),
});

export const rolloutStartBody = z.strictObject({
  model: name.describe('Whose plan is changed.'),
  variant: z
    .union([name, z.literal('')])
    .default('')
    .describe('The canary; empty takes the only one there is.'),
  steps: orNull(z.array(step).min(1).max(50)).describe('In place of those of the config.'),
  tolerance: z
    .strictObject({
      errors: orNull(z.number().min(0.0001).max(1)),
      latency: orNull(z.number().min(0.01).max(1_000)),
      cost: orNull(z.number().min(0.001).max(1_000)),
      maxDisagreement: orNull(z.number().min(0.0001).max(1)),
    })
    .prefault({})
    .describe('In place of those of the config, one by one.'),
  alpha: orNull(z.number().min(1e-6).max(0.5)).describe('Chance of rolling a good canary back; null takes that of the config.'),
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type RolloutStartBody = z.output<typeof rolloutStartBody>;
