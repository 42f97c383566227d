import { z } from 'zod';

/** The file of API keys that were issued while the gateway ran. */
const issuedKeys = z.strictObject({
  keys: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9]{8}$/),
      tenant: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scopes: z.array(z.string()),
      models: z.array(z.string()),
      expires: z.iso.datetime().nullable(),
      issuedBy: z.string(),
      issuedAt: z.string(),
    }),
  ),
});

/** Null where the text is no such file. */
export function parseIssuedKeys(text: string): z.output<typeof issuedKeys>['keys'] | null {
  try {
    const parsed = issuedKeys.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.keys : null;
  } catch {
    // Not JSON: the caller says so.
    return null;
  }
}
