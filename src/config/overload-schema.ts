import { z } from 'zod';
import { bytes, timeoutMs } from './fields.ts';

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
