import type { Clock } from '../core/clock.ts';
import type { RequestContext } from '../core/context.ts';

/** What is left of a request's time. */

/** Timers of two layers end the same call, and are a few milliseconds apart. */
const TIMER_SLACK_MS = 5;

/** Milliseconds; below 0 after the deadline. @hot */
export const leftMs = (ctx: RequestContext, clock: Clock): number => ctx.deadlineMs - clock.nowMs();

/** Whether there is enough for anything to be begun. */
export const hasTime = (ctx: RequestContext, clock: Clock): boolean => leftMs(ctx, clock) > TIMER_SLACK_MS;
