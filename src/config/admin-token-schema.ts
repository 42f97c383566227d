import { z } from 'zod';
import { name, secret } from './fields.ts';
import type { ConfigProblem } from './problem.ts';

/** Tokens of the admin port besides the first one: who holds each, and what it is for. */

/** What each may do is written down once, in the admin API itself. */
export const ADMIN_ROLES = ['viewer', 'operator', 'key-admin', 'security-admin', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** How audit records name the holder of `listen.admin.token`. */
export const FIRST_TOKEN = 'admin-token';

const common = {
  name: name.describe('Who holds it, as audit records and logs name them.'),
  role: z.enum(ADMIN_ROLES).describe('What it may do; docs/admin-api.md has the table.'),
  expires: z.iso.datetime().nullable().default(null).describe('When the token stops working, as an ISO 8601 time.'),
};

export const adminToken = z.union([
  z.strictObject({
    ...common,
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
      .describe('SHA-256 of the whole token; the token itself has to be long and random.'),
  }),
  z.strictObject({ ...common, secret: secret.describe('Where the whole token comes from, in place of its digest.') }),
]);
export type AdminTokenConfig = z.output<typeof adminToken>;

/** Two holders of one name could not be told apart on record. */
export function checkAdminTokens(tokens: readonly AdminTokenConfig[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const names = new Set<string>([FIRST_TOKEN]);
  const digests = new Set<string>();
  tokens.forEach((token, t) => {
    const path = `listen.admin.tokens.${t}`;
    if (names.has(token.name)) {
      const message = `found "${token.name}" twice; expected one token a name, and "${FIRST_TOKEN}" is that of listen.admin.token`;
      problems.push({ path: `${path}.name`, message });
    }
    names.add(token.name);
    if (!('sha256' in token)) return;
    if (digests.has(token.sha256)) problems.push({ path: `${path}.sha256`, message: 'found the digest of another token' });
    digests.add(token.sha256);
  });
  return problems;
}
