import { z } from 'zod';
import { name } from './fields.ts';

/** What config and admin API say about a model's traffic besides weights, and how much of its past is kept. */

/** As many as a person can look through; each request costs one look-up, however many there are. */
const MAX_PINS = 256;

const tenantPin = z.strictObject({
  tenant: name.describe('Tenant that is pinned.'),
  variant: name.describe('Stable or canary variant that answers it.'),
});

const headerPin = z.strictObject({
  header: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'expected a header field name in lower case')
    .describe('Header field, or gRPC metadata, whose value pins a request; lower case. Anyone may send it.'),
  value: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[!-~](?:[ -~]*[!-~])?$/, 'expected printable ASCII without spaces around it')
    .describe('Value that it must have, letter for letter.'),
  variant: name.describe('Stable or canary variant that answers it.'),
});

export const pins = z
  .array(z.union([tenantPin, headerPin]))
  .max(MAX_PINS)
  .describe(
    'Who goes to one variant whatever the weights say: a tenant, or requests with a header field of one value. A tenant goes before a header field, and what a caller with the scope route:override asks for before both.',
  );

export const fallbacks = z
  .array(name)
  .max(32)
  .describe(
    'Variants that answer, in this order, where the chosen one cannot; where it is among them, it is left out. Empty lets a failing variant fail its callers.',
  );

export const planHistory = z.strictObject({
  keepRevisions: z
    .int()
    .min(2)
    .max(10_000)
    .default(1_000)
    .describe('Plans of each model, newest first, that stay in stateDir/plans and can be rolled back to.'),
});
