import { z } from 'zod';

/** Bodies that the admin API answers with. Fields may be added; none is taken away or changes its meaning. */

export type AnswerSchema = z.ZodType;

const text = z.string();
const whole = z.int().min(0);
const at = z.iso.datetime();

export const reached = z
  .object({ acknowledged: whole, total: whole })
  .describe('How many worker processes have taken the change over, of how many.');

/** RFC 9457. */
export const problemAnswer = z.object({
  type: text,
  title: text,
  status: z.int(),
  detail: text.describe('What was found, what was expected, and what to do.'),
});

export const variantView = z.object({
  name: text,
  role: z.enum(['stable', 'canary', 'shadow']),
  labels: z.array(text),
  backend: text,
  target: text,
  weightBp: whole.describe('Basis points; for a shadow its sample rate.'),
  readiness: text,
  reason: text,
  inFlight: whole,
  attempts: whole,
  failures: whole,
  lastFault: text,
});

const variantAnswer = z.object({ model: text, variant: variantView, workers: reached });
const variantPreview = z.object({ dryRun: z.literal(true), model: text, variant: variantView, would: text });

export const backendsAnswer = z.object({
  backends: z.array(
    z.object({
      model: text,
      variant: text,
      kind: text,
      target: text,
      readiness: text,
      reason: text,
      live: z.boolean(),
      endpoints: z.array(
        z.object({
          endpoint: text,
          state: text,
          reason: text,
          ejectedForMs: z.number(),
          inFlight: whole,
          latencyMs: z.number(),
          ejections: whole,
        }),
      ),
    }),
  ),
});

export const usageAnswer = z.object({
  usage: z.array(
    z.object({
      tenant: text,
      model: text,
      variant: text,
      requests: whole,
      failures: whole,
      cacheHits: whole,
      rows: whole,
      inputBytes: whole,
      outputBytes: whole,
      computeUs: z.number(),
      cost: text.describe('Whole nano-dollars, as decimal text.'),
    }),
  ),
});

const purgeAnswer = z.object({ purged: whole, workers: reached });
const purgePreview = z.object({ dryRun: z.literal(true), wouldPurge: whole });

export const workersAnswer = z.object({
  workers: z.array(
    z.object({
      worker: whole,
      generation: whole,
      pid: whole,
      state: text,
      ready: z.boolean(),
      residentBytes: whole,
      cpuSeconds: z.number(),
    }),
  ),
});

const restartAnswer = z.object({ generation: whole, workers: reached });
const restartPreview = z.object({ dryRun: z.literal(true), wouldReplace: whole, generation: whole });

export const tenantsAnswer = z.object({
  tenants: z.array(
    z.object({
      id: text,
      requestsPerSecond: z.number(),
      burst: whole,
      priority: whole,
      maxInFlight: whole,
      maxInFlightBytes: whole,
      keys: whole.describe('Keys of it that open something now.'),
    }),
  ),
});

const keyView = z.object({
  id: text.describe('The public part of the key; nothing else of it is ever shown.'),
  tenant: text,
  scopes: z.array(text),
  models: z.array(text),
  expires: at.nullable(),
  state: z.enum(['active', 'expired', 'revoked', 'unused']).describe('unused: its tenant is not in the config.'),
  source: z.enum(['config', 'issued']),
  issuedBy: text,
  issuedAt: text,
});
export const keysAnswer = z.object({ keys: z.array(keyView) });
const issuedAnswer = keyView.extend({
  key: text.nullable().describe('The whole key, shown this once; null when the answer is repeated for the same idempotency key.'),
  workers: reached,
});
const issuePreview = keyView.extend({ dryRun: z.literal(true) });

const revokedAnswer = z.object({
  key: text,
  revoked: z.literal(true),
  workers: reached,
  unkept: text.describe('Why it will not outlive this gateway; empty when it will.'),
});
const revokePreview = z.object({ dryRun: z.literal(true), key: text, revoked: z.boolean() });

export const configAnswer = z.object({
  file: text,
  generation: whole,
  config: z
    .record(text, z.unknown())
    .describe('As in force, with defaults; secrets, digests and credentials in addresses masked.'),
});
const reloadAnswer = z.object({ generation: whole, changed: z.array(text) });
const reloadPreview = z.object({ dryRun: z.literal(true), changed: z.array(text) });

export const auditAnswer = z.object({
  head: z.object({ seq: whole, hash: text, problem: text.describe('Why changes are refused; empty when they are not.') }),
  records: z
    .array(
      z.object({
        seq: whole,
        time: at,
        actor: text,
        role: text,
        action: text,
        model: text,
        before: z.unknown(),
        after: z.unknown(),
        reason: text,
        requestId: text,
        prev: text,
        hash: text,
      }),
    )
    .describe('Newest first.'),
  unreadable: whole.describe('Lines among them that are no records; sluice audit verify says more.'),
  next: whole.nullable().describe('The value of "before" that gives the records before these; null when there are none.'),
});

export const documentAnswer = z.record(text, z.unknown());

/** Where a body with `dryRun` is answered with something else. */
export const loadAnswers = z.union([variantPreview, variantAnswer]);
export const purgeAnswers = z.union([purgePreview, purgeAnswer]);
export const restartAnswers = z.union([restartPreview, restartAnswer]);
export const issueAnswers = z.union([issuePreview, issuedAnswer]);
export const revokeAnswers = z.union([revokePreview, revokedAnswer]);
export const reloadAnswers = z.union([reloadPreview, reloadAnswer]);
