import { z } from 'zod';
import { name } from './fields.ts';

/** Filters on input and output. Each rule has a name, a kind and what to do when it matches. */

const common = {
  name: name.describe('Name of the guard in metrics, logs and refusals.'),
  failClosed: z.boolean().default(true).describe('Refuse the request when the guard itself fails.'),
  tensors: z.array(z.string()).default([]).describe('Tensors to look at; empty means all that fit the kind.'),
};
const action = z.enum(['flag', 'block']).default('block').describe('What to do on a match.');

export const boundsGuard = z.strictObject({
  kind: z.literal('bounds'),
  ...common,
  action,
  min: z.number().nullable().default(null).describe('Least value allowed; null sets none.'),
  max: z.number().nullable().default(null).describe('Greatest value allowed; null sets none.'),
  allowNonFinite: z.boolean().default(false).describe('Let NaN and infinities pass.'),
});

export const denyListGuard = z.strictObject({
  kind: z.literal('denyList'),
  ...common,
  action,
  phrases: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(10_000)
    .describe('Phrases that must not occur, compared without case and accents.'),
});

export const piiGuard = z.strictObject({
  kind: z.literal('pii'),
  ...common,
  action: z.enum(['flag', 'redact', 'block']).default('redact').describe('What to do on a match.'),
  detect: z
    .array(z.enum(['email', 'paymentCard']))
    .min(1)
    .default(['email', 'paymentCard'])
    .describe('What to look for.'),
});

export const confidenceGuard = z.strictObject({
  kind: z.literal('confidence'),
  ...common,
  action,
  floor: z.number().min(0).max(1).describe('Least value that the greatest score of a row must reach.'),
});

export const guard = z.discriminatedUnion('kind', [boundsGuard, denyListGuard, piiGuard, confidenceGuard]);
export type GuardConfig = z.output<typeof guard>;
export type BoundsGuardConfig = z.output<typeof boundsGuard>;
export type DenyListGuardConfig = z.output<typeof denyListGuard>;
export type PiiGuardConfig = z.output<typeof piiGuard>;
export type ConfidenceGuardConfig = z.output<typeof confidenceGuard>;
