import { z } from 'zod';
import { name } from './fields.ts';
import { problemsOf } from './problem.ts';

/** Bodies of the admin API. */

const weightChange = z.strictObject({
  expectedRevision: z.int().min(0).describe('The revision that the caller has seen.'),
  weightsBp: z
    .record(name, z.int().min(0).max(10_000))
    .refine((weights) => Object.keys(weights).length > 0, 'expected at least one variant')
    .describe('Basis points by variant name; canaries not named keep theirs, and stable may be left out to take the rest.'),
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type WeightChangeBody = z.output<typeof weightChange>;

const purge = z.strictObject({
  model: z
    .union([name, z.literal('')])
    .default('')
    .describe('Model whose entries go; empty purges all.'),
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type PurgeBody = z.output<typeof purge>;

/** A body that says why, and nothing else. */
const reasoned = z.strictObject({
  reason: z.string().max(500).default('').describe('Why; stands in the audit record.'),
});
export type ReasonBody = z.output<typeof reasoned>;

const unload = reasoned.extend({
  force: z.boolean().default(false).describe('Unload it although it carries traffic.'),
});
export type UnloadBody = z.output<typeof unload>;

/** The body, or what is wrong with it in one line. */
export const parseWeightChange = (json: unknown): WeightChangeBody | string => parse(weightChange, json);
export const parseReason = (json: unknown): ReasonBody | string => parse(reasoned, json);
export const parseUnload = (json: unknown): UnloadBody | string => parse(unload, json);
export const parsePurge = (json: unknown): PurgeBody | string => parse(purge, json);

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> | string {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  return problemsOf(parsed.error.issues, json)
    .map((problem) => (problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`))
    .join('; ');
}
