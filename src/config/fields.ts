import { z } from 'zod';
import { NAME_PATTERN } from './name-pattern.ts';

/** Field shapes that several sections of the config share. */

export const name = z
  .string()
  .regex(NAME_PATTERN, 'expected letters, digits, ".", "_" or "-", at most 64, a letter or digit first');

export const count = z.int().min(1).max(1_000_000_000);
export const bytes = z.int().min(1).max(1_099_511_627_776);
export const timeoutMs = z.int().min(1).max(3_600_000);
export const port = z.int().min(0).max(65_535);

/** Dollars as people write them; kept as whole nano-dollars. */
export const usd = z
  .number()
  .min(0)
  .max(1_000)
  .transform((dollars) => Math.round(dollars * 1e9));

/** Percent with at most two decimals; kept as basis points. */
export const percent = z
  .number()
  .min(0)
  .max(100)
  .refine((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6, 'expected at most two decimals')
  .transform((value) => Math.round(value * 100));

/** A secret never stands in the file: it comes from the environment or from a file, or is made at start for a demo on loopback. */
export const secret = z.union([
  z.strictObject({ env: z.string().min(1).describe('Environment variable that holds the secret.') }),
  z.strictObject({ file: z.string().min(1).describe('File that holds the secret; surrounding white space is cut.') }),
  z.strictObject({
    generate: z.literal(true).describe('Made at start, for demos: accepted only while every listener is on loopback.'),
  }),
]);
export type SecretSource = z.output<typeof secret>;
