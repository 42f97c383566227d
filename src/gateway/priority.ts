import type { RequestContext } from '../core/context.ts';

/** 0 to 7, as one digit. */
const PRIORITY = /^[0-7]$/;

/** How urgent a request is: as its tenant is, or less where the caller says so. Nobody can call itself more urgent than it may be. @hot */
export function priorityOf(ctx: RequestContext): number {
  const { priority } = ctx.principal!.tenant;
  const stated = ctx.head.header('x-sluice-priority');
  return PRIORITY.test(stated) ? Math.min(Number(stated), priority) : priority;
}
