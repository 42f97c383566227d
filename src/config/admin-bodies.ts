import { z } from 'zod';
import { name } from './fields.ts';
import { type ConfigProblem, problemsOf } from './problem.ts';
import { keyScope } from './tenant-schema.ts';

/** Bodies of the admin API. */

export type BodySchema = z.ZodType;

const reason = z.string().max(500).default('').describe('Why; stands in the audit record.');

/** A body that says why, and nothing else: a route that takes it has no dry run. */
export const reasonBody = z.strictObject({ reason });
export type ReasonBody = z.output<typeof reasonBody>;

/** Of routes that can say what would happen. */
export const changeFields = {
  reason,
  dryRun: z
    .boolean()
    .default(false)
    .describe(
      'Checked, refused where that can be told beforehand, and answered with what would happen; nothing is recorded or changed. What shows only when it is done, as a full disk, is not told.',
    ),
};

export const changeBody = z.strictObject(changeFields);
export type ChangeBody = z.output<typeof changeBody>;

export const purgeBody = z.strictObject({
  ...changeFields,
  model: z
    .union([name, z.literal('')])
    .default('')
    .describe('Model whose entries go; empty purges all.'),
});
export type PurgeBody = z.output<typeof purgeBody>;

export const unloadBody = changeBody.extend({
  force: z.boolean().default(false).describe('Unload it although it carries traffic.'),
});
export type UnloadBody = z.output<typeof unloadBody>;

export const issueKeyBody = z.strictObject({
  ...changeFields,
  env: z
    .string()
    .regex(/^[a-z]{1,12}$/, 'expected 1 to 12 lower-case letters')
    .default('live')
    .describe('Stands in the key, so that people see what it is for.'),
  scopes: z
    .array(keyScope)
    .min(1)
    .max(keyScope.options.length)
    .refine((scopes) => new Set(scopes).size === scopes.length, 'expected each scope once')
    .default(['infer'])
    .describe('What the key may do.'),
  models: z
    .array(z.union([name, z.literal('*')]))
    .min(1)
    .max(1_000)
    .default(['*'])
    .describe('Models the key may use; "*" is every model.'),
  expires: z.iso.datetime().nullable().default(null).describe('When the key stops working, as an ISO 8601 time.'),
});
export type IssueKeyBody = z.output<typeof issueKeyBody>;

/** Problems that an answer lists, and the longest text of one: a body without end must not get an answer without end. */
const MAX_PROBLEMS = 20;
const MAX_PROBLEM_CHARS = 400;

/** The body as `schema` gives it, or what is wrong with it in one line. */
export function parseBody(schema: BodySchema, json: unknown): { readonly body: unknown } | string {
  const parsed = schema.safeParse(json);
  if (parsed.success) return { body: parsed.data };
  const { issues } = parsed.error;
  const problems = problemsOf(issues.slice(0, MAX_PROBLEMS), json);
  const texts = problems.slice(0, MAX_PROBLEMS).map(textOf);
  const more = Math.max(0, issues.length - MAX_PROBLEMS) + problems.length - texts.length;
  return more === 0 ? texts.join('; ') : `${texts.join('; ')}; and ${more} more`;
}

function textOf({ path, message }: ConfigProblem): string {
  const text = path === '' ? message : `${path}: ${message}`;
  return text.length > MAX_PROBLEM_CHARS ? `${text.slice(0, MAX_PROBLEM_CHARS)}…` : text;
}
