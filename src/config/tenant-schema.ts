import { z } from 'zod';
import { bytes, count, name, secret } from './fields.ts';

/** Tenants, their keys and their limits. */

export const keyScope = z.enum(['infer', 'route:override']);

const keyCommon = {
  id: z
    .string()
    .regex(/^[a-z0-9]{8}$/, 'expected 8 lower-case letters or digits')
    .describe('Public part of the key; appears in logs.'),
  scopes: z.array(keyScope).default(['infer']).describe('What the key may do.'),
  models: z
    .array(z.union([name, z.literal('*')]))
    .min(1)
    .default(['*'])
    .describe('Models the key may use; "*" is every model.'),
  expires: z.iso.datetime().nullable().default(null).describe('When the key stops working, as an ISO 8601 time.'),
};

export const apiKey = z.union([
  z.strictObject({
    ...keyCommon,
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
      .describe('SHA-256 of the whole key, as `sluice keys new` prints it.'),
  }),
  z.strictObject({ ...keyCommon, secret: secret.describe('Where the whole key comes from, in place of its digest.') }),
]);
export type ApiKeyConfig = z.output<typeof apiKey>;

export const tenant = z.strictObject({
  id: name.describe('Name of the tenant in logs, metrics and bills.'),
  rate: z
    .strictObject({
      requestsPerSecond: z
        .number()
        .min(0)
        .max(10_000_000)
        .default(1_000)
        .describe('Requests a second in the long run; 0 admits none.'),
      burst: count.default(2_000).describe('Requests that may come at once.'),
    })
    .prefault({}),
  priority: z
    .int()
    .min(0)
    .max(7)
    .default(3)
    .describe('How urgent its requests are where they have to wait, 7 the most; x-sluice-priority may lower it for one request.'),
  maxInFlight: count.default(256).describe('Requests of this tenant at the same time.'),
  maxInFlightBytes: bytes
    .default(134_217_728)
    .describe('The most of them that this tenant may have; an answer larger than this is refused.'),
  keys: z.array(apiKey).min(1).describe('The API keys of this tenant.'),
});
