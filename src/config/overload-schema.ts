import { z } from 'zod';
import { bytes, count, percent, timeoutMs } from './fields.ts';

/** What the gateway stops doing when it runs short of memory or time. */

/** As a share here; percent are what people say. */
const share = z
  .number()
  .min(1)
  .max(100)
  .transform((percent) => percent / 100);

export const overload = z.strictObject({
  pressure: z
    .strictObject({
      noNewEntriesPercent: share.prefault(85).describe('Memory in use from which the cache takes no new entries.'),
      noIdlePercent: share.prefault(92).describe('Memory in use from which idle HTTP connections are closed.'),
      noNewWorkPercent: share.prefault(95).describe('Memory in use from which new requests are refused with 503.'),
      memoryLimitBytes: bytes
        .nullable()
        .default(null)
        .describe('Memory of all processes that is 100 percent; null takes the limit of the container, or else the machine.'),
      loopDelayMs: timeoutMs
        .default(500)
        .describe('New requests are refused with 503 while the event loop is this late on average.'),
    })
    .refine(
      (at) => at.noNewEntriesPercent <= at.noIdlePercent && at.noIdlePercent <= at.noNewWorkPercent,
      'expected noNewEntriesPercent <= noIdlePercent <= noNewWorkPercent',
    )
    .prefault({})
    .describe('Shares are of the heap limit of a process or of the memory limit, whichever is nearer.'),
});
export type OverloadConfig = z.output<typeof overload>;

/** Calls in flight at a server, found out from its latency. */
export const adaptive = z
  .strictObject({
    minInFlight: count.default(16).describe('Calls that are always let in.'),
    initialInFlight: count.default(64).describe('Calls let in before anything is known.'),
  })
  .refine((at) => at.minInFlight <= at.initialInFlight, 'expected minInFlight <= initialInFlight');
export type AdaptiveConfig = z.output<typeof adaptive>;

/** The line before a variant that is full. */
export const queue = z.strictObject({
  maxEntries: count
    .max(100_000)
    .default(512)
    .describe('Requests in line for one variant; more are refused, the least urgent first.'),
  maxAgeMs: timeoutMs.default(1_000).describe('Longest wait for a turn.'),
});
export type QueueConfig = z.output<typeof queue>;

export const retries = z.strictObject({
  max: z
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe('Tries of one request after its first; the last goes to a fallback where there is one, also where this is 0.'),
  percent: percent.prefault(10).describe('Retries and hedges, in percent of the requests of the last ten seconds.'),
  perSecond: z.number().min(0).max(1_000).default(5).describe('Retries and hedges a second besides.'),
});

export const hedge = z.strictObject({
  percentile: z
    .number()
    .min(50)
    .max(99.9)
    .default(95)
    .describe('Percentile of the latency after which a second call is sent to another endpoint.'),
  minMs: timeoutMs.default(10).describe('Least wait before it.'),
});
