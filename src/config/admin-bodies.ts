import { z } from 'zod';
import { name } from './fields.ts';
import { problemsOf } from './problem.ts';

/** Bodies of the admin API. */

export type BodySchema = z.ZodType;

export const weightChangeBody = z.strictObject({
  expectedRevision: z.int().min(0).describe('The revision that the caller has seen.'),
  weightsBp: z
    .record(name, z.int().min(0).max(10_000))
    .refine((weights) => Object.keys(weights).length > 0, 'expected at least one variant')
    .describe('Basis points by variant name; canaries not named keep theirs, and stable may be left out to take the rest.'),
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type WeightChangeBody = z.output<typeof weightChangeBody>;

export const purgeBody = z.strictObject({
  model: z
    .union([name, z.literal('')])
    .default('')
    .describe('Model whose entries go; empty purges all.'),
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type PurgeBody = z.output<typeof purgeBody>;

/** A body that says why, and nothing else. */
export const reasonBody = z.strictObject({
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type ReasonBody = z.output<typeof reasonBody>;

export const unloadBody = reasonBody.extend({
  force: z.boolean().default(false).describe('Unload it although it carries traffic.'),
});
export type UnloadBody = z.output<typeof unloadBody>;

/** The body as `schema` gives it, or what is wrong with it in one line. */
export function parseBody(schema: BodySchema, json: unknown): { readonly body: unknown } | string {
  const parsed = schema.safeParse(json);
  if (parsed.success) return { body: parsed.data };
  return problemsOf(parsed.error.issues, json)
    .map((problem) => (problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`))
    .join('; ');
}
