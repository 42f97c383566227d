import { z } from 'zod';
import { count, percent, secret, timeoutMs } from './fields.ts';

/** Rollouts: their steps, how they are judged, and who is told. */

const DAY_MS = 86_400_000;

const holdMs = z
  .int()
  .min(0)
  .max(30 * DAY_MS);
const approvals = z.int().min(0).max(10);

/** How much worse than stable a canary may be, by metric. */
export const tolerance = z.strictObject({
  errors: z
    .number()
    .min(0.0001)
    .max(1)
    .default(0.01)
    .describe('Failed requests: difference of shares; 0.01 is one in a hundred more, 1 any.'),
  latency: z
    .number()
    .min(0.01)
    .max(1_000)
    .default(0.25)
    .describe('Latency: ratio of geometric means less one; 0.25 is a quarter slower, 1000 any.'),
  cost: z.number().min(0.001).max(1_000).default(0.25).describe('Cost of a request: ratio of means less one; 1000 is any.'),
  maxDisagreement: z
    .number()
    .min(0.0001)
    .max(1)
    .default(0.1)
    .describe('Share of compared answers that may differ from those of stable; 1 is any.'),
});

const step = z.strictObject({
  percent: percent.refine((weightBp) => weightBp > 0, 'expected more than 0').describe('Share of the canary.'),
  holdMs: holdMs.nullable().default(null).describe('Least time at this step; null takes that of the rollout.'),
  minRequests: count.nullable().default(null).describe('Least requests of the canary here; null takes those of the rollout.'),
  approvals: approvals.default(0).describe('People who must have approved this step before it begins.'),
});

const growing = (steps: readonly { readonly percent: number }[]): boolean =>
  steps.every((each, i) => i === 0 || each.percent > steps[i - 1]!.percent);

export const rollout = z.strictObject({
  steps: z
    .array(step)
    .min(1)
    .max(50)
    .refine(growing, 'expected shares that grow from step to step')
    .prefault([1, 5, 25, 50, 100].map((share) => ({ percent: share })))
    .describe('Shares of the canary, one after another; 1, 5, 25, 50 and 100 percent by default.'),
  holdMs: holdMs.default(60_000).describe('Least time at each step.'),
  minRequests: count.default(500).describe('Least requests of the canary at each step.'),
  tolerance: tolerance.prefault({}).describe('How much worse than stable the canary may be.'),
  alpha: z
    .number()
    .min(1e-6)
    .max(0.5)
    .default(0.01)
    .describe('Chance that a canary within all tolerances is ever rolled back, over the whole rollout.'),
  lookMs: z.int().min(50).max(60_000).default(500).describe('Time between two looks at the evidence.'),
  downMs: timeoutMs
    .default(3_000)
    .describe('A canary that a worker has lost, or none has ready, for this long is rolled back without a test.'),
  maxWorkerEnds: count
    .max(1_000)
    .default(3)
    .describe('So many workers that end unasked during one step roll the canary back: it may be what ends them.'),
});
export type RolloutConfig = z.output<typeof rollout>;

export const riskTier = z
  .enum(['low', 'medium', 'high'])
  .default('low')
  .describe(
    'Who must approve a rollout before its canary gets all traffic: low nobody, medium one and high two people other than the one who started it.',
  );
export type RiskTier = z.output<typeof riskTier>;

/** Of an address that is none another rule speaks. */
const hasNoCredentials = (text: string): boolean => {
  const url = URL.parse(text);
  return url === null || (url.username === '' && url.password === '');
};

const webhook = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .refine(hasNoCredentials, 'expected no user and no password: sign with secret, or put what lets one in into the path')
    .describe('Where events are sent by POST, as CloudEvents 1.0 in structured JSON. Redirects are not followed.'),
  secret: secret.nullable().default(null).describe('Key of the HMAC-SHA256 in the field webhook-signature; null signs nothing.'),
  timeoutMs: timeoutMs.default(5_000).describe('Time for one try.'),
  maxTries: count.max(100).default(10).describe('Tries of one event; then it is given up and counted.'),
  firstRetryMs: timeoutMs.default(1_000).describe('Wait before the second try; doubles with each.'),
  longestRetryMs: timeoutMs.default(60_000).describe('Longest such wait.'),
  maxQueued: count.max(100_000).default(1_000).describe('Events that wait; the oldest are given up for more.'),
});
export type WebhookConfig = z.output<typeof webhook>;

export const rollouts = z.strictObject({
  webhooks: z.array(webhook).max(32).default([]).describe('Who is told of each transition of a rollout.'),
  source: z
    .string()
    .min(1)
    .max(256)
    .default('/sluice')
    .describe('The source of events: a URI reference that names this gateway.'),
  maxKept: count.max(10_000).default(100).describe('Rollouts that are over and still shown; the oldest are forgotten.'),
});
export type RolloutsConfig = z.output<typeof rollouts>;
