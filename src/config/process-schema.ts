import { z } from 'zod';
import { count, timeoutMs } from './fields.ts';

/** The processes that serve, how they are watched over, and when a changed config reaches them. */

export const workers = z
  .union([z.literal('auto'), count.max(256)])
  .default('auto')
  .describe(
    'Worker processes; auto takes one for each core. Limits of this file hold for all of them together: each takes its share. Models in this process are loaded by each.',
  );

export const supervision = z.strictObject({
  acknowledgeTimeoutMs: timeoutMs
    .default(2_000)
    .describe('Time for a worker to take over a change made on the admin port; one that does not is replaced.'),
  leaseTimeoutMs: timeoutMs
    .default(2_000)
    .describe(
      'Time for the supervisor to answer a worker that needs tokens or places of a tenant; then the request is refused. Only a machine without a free core makes it wait.',
    ),
  silenceTimeoutMs: timeoutMs
    .default(10_000)
    .describe('A worker that says nothing for this long hangs, and is replaced; it speaks every second.'),
  startTimeoutMs: timeoutMs.default(120_000).describe('Time for a worker to load its models and serve.'),
  firstRestartDelayMs: timeoutMs.default(100).describe('Wait before a worker is replaced; doubles with each failure in a row.'),
  longestRestartDelayMs: timeoutMs.default(5_000).describe('Longest such wait.'),
  healthyAfterMs: timeoutMs.default(30_000).describe('A worker that has served for this long begins anew with the first wait.'),
});

export const reload = z.strictObject({
  watch: z.boolean().default(true).describe('Take over the config file when it changes. SIGHUP does so in any case.'),
  settleMs: timeoutMs.default(200).describe('Quiet after a change before the file is read.'),
  pollMs: timeoutMs.default(5_000).describe('Interval of looks at the file, where the system does not tell of changes.'),
});

export type SupervisionConfig = z.output<typeof supervision>;
export type ReloadConfig = z.output<typeof reload>;
